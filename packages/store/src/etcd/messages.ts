// etcd's API, version 3.4, as far as we use it: names and numbers of api/etcdserverpb/rpc.proto, mvccpb/kv.proto.
import { bool, bytes, int64, type Message, message, optional, repeated, string, uint64 } from './protobuf.ts';

interface ResponseHeader {
  readonly revision: number;
}
const ResponseHeader: Message<ResponseHeader> = message(() => ({ revision: int64(3) }));

export interface KeyValue {
  readonly key: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly value: Buffer;
}
const KeyValue: Message<KeyValue> = message(() => ({
  key: bytes(1),
  createRevision: int64(2),
  modRevision: int64(3),
  value: bytes(5),
}));

export interface RangeRequest {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly limit: number;
  readonly revision: number;
  readonly keysOnly: boolean;
}
export const RangeRequest: Message<RangeRequest> = message(() => ({
  key: bytes(1),
  rangeEnd: bytes(2),
  limit: int64(3),
  revision: int64(4),
  keysOnly: bool(8),
}));

export interface RangeResponse {
  readonly header: ResponseHeader | undefined;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
}
export const RangeResponse: Message<RangeResponse> = message(() => ({
  header: optional(1, () => ResponseHeader),
  kvs: repeated(2, () => KeyValue),
  more: bool(3),
}));

export interface PutRequest {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly lease: number;
}
const PutRequest: Message<Partial<PutRequest>> = message(() => ({ key: bytes(1), value: bytes(2), lease: int64(3) }));

export interface DeleteRangeRequest {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
}
const DeleteRangeRequest: Message<Partial<DeleteRangeRequest>> = message(() => ({ key: bytes(1), rangeEnd: bytes(2) }));

interface DeleteRangeResponse {
  readonly deleted: number;
}
const DeleteRangeResponse: Message<DeleteRangeResponse> = message(() => ({ deleted: int64(2) }));

export const COMPARE_CREATE = 1;
export const COMPARE_MOD = 2;

/** Equality, the default, is all that we ask for. */
export interface Compare {
  readonly target: typeof COMPARE_CREATE | typeof COMPARE_MOD;
  readonly key: Buffer;
  readonly createRevision?: number;
  readonly modRevision?: number;
}
const Compare: Message<Compare> = message<{
  target: number;
  key: Buffer;
  createRevision?: number;
  modRevision?: number;
}>(() => ({
  target: int64(2),
  key: bytes(3),
  createRevision: int64(5),
  modRevision: int64(6),
})) as Message<Compare>;

/** One of them. */
export interface RequestOp {
  readonly range?: Partial<RangeRequest>;
  readonly put?: Partial<PutRequest>;
  readonly deleteRange?: Partial<DeleteRangeRequest>;
  readonly txn?: TxnRequest;
}
const RequestOp: Message<RequestOp> = message<{
  range: Partial<RangeRequest> | undefined;
  put: Partial<PutRequest> | undefined;
  deleteRange: Partial<DeleteRangeRequest> | undefined;
  txn: TxnRequest | undefined;
}>(() => ({
  range: optional<Partial<RangeRequest>>(1, () => RangeRequest),
  put: optional(2, () => PutRequest),
  deleteRange: optional(3, () => DeleteRangeRequest),
  txn: optional(4, () => TxnRequest),
})) as Message<RequestOp>;

export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}
export const TxnRequest: Message<TxnRequest> = message(() => ({
  compare: repeated(1, () => Compare),
  success: repeated(2, () => RequestOp),
  failure: repeated(3, () => RequestOp),
}));

interface ResponseOp {
  readonly range: RangeResponse | undefined;
  readonly deleteRange: DeleteRangeResponse | undefined;
  readonly txn: TxnResponse | undefined;
}
const ResponseOp: Message<ResponseOp> = message(() => ({
  range: optional(1, () => RangeResponse),
  deleteRange: optional(3, () => DeleteRangeResponse),
  txn: optional(4, () => TxnResponse),
}));

export interface TxnResponse {
  readonly header: ResponseHeader | undefined;
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}
export const TxnResponse: Message<TxnResponse> = message(() => ({
  header: optional(1, () => ResponseHeader),
  succeeded: bool(2),
  responses: repeated(3, () => ResponseOp),
}));

export const CompactionRequest: Message<{ revision: number }> = message(() => ({ revision: int64(1) }));

interface WatchCreateRequest {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
  readonly startRevision: number;
  readonly fragment: boolean;
}
const WatchCreateRequest: Message<WatchCreateRequest> = message(() => ({
  key: bytes(1),
  rangeEnd: bytes(2),
  startRevision: int64(3),
  fragment: bool(8),
}));
export const WatchRequest: Message<{ create: WatchCreateRequest | undefined }> = message(() => ({
  create: optional(1, () => WatchCreateRequest),
}));

export const EVENT_DELETE = 1;

export interface Event {
  readonly type: number;
  readonly kv: KeyValue | undefined;
}
const Event: Message<Event> = message(() => ({ type: int64(1), kv: optional(2, () => KeyValue) }));

export interface WatchResponse {
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
  readonly fragment: boolean;
  readonly events: readonly Event[];
}
export const WatchResponse: Message<WatchResponse> = message(() => ({
  canceled: bool(4),
  compactRevision: int64(5),
  cancelReason: string(6),
  fragment: bool(7),
  events: repeated(11, () => Event),
}));

/** TTLs are in seconds. */
export const LeaseGrantRequest: Message<{ ttl: number; id: number }> = message(() => ({ ttl: int64(1), id: int64(2) }));
export const LeaseGrantResponse: Message<{ ttl: number }> = message(() => ({ ttl: int64(3) }));
export const LeaseRevokeRequest: Message<{ id: number }> = message(() => ({ id: int64(1) }));
export const LeaseKeepAliveRequest: Message<{ id: number }> = message(() => ({ id: int64(1) }));
/** A TTL of 0: there is no such lease (any more). */
export const LeaseKeepAliveResponse: Message<{ ttl: number }> = message(() => ({ ttl: int64(3) }));

export const AuthenticateRequest: Message<{ name: string; password: string }> = message(() => ({
  name: string(1),
  password: string(2),
}));
export const AuthenticateResponse: Message<{ token: string }> = message(() => ({ token: string(2) }));

export const ALARM_GET = 0;
export const ALARM_DEACTIVATE = 2;
export const ALARM_NOSPACE = 1;
interface AlarmMember {
  readonly memberId: bigint;
  readonly alarm: number;
}
const AlarmMember: Message<AlarmMember> = message(() => ({ memberId: uint64(1), alarm: int64(2) }));
export const AlarmRequest: Message<{ action: number; memberId: bigint; alarm: number }> = message(() => ({
  action: int64(1),
  memberId: uint64(2),
  alarm: int64(3),
}));
export const AlarmResponse: Message<{ alarms: readonly AlarmMember[] }> = message(() => ({
  alarms: repeated(2, () => AlarmMember),
}));

/** An answer of which only the arrival matters, and a request without fields. */
export const Empty: Message<object> = message(() => ({}));
