export { type CallOptions, VCENTER_EXTENSION_KEY, VimClient, type VimClientOptions } from './client.ts';
export { ConnectionLost } from './connection-lost.ts';
export type { TaskMethodName, TaskResultOf } from './method-types.ts';
export { TaskFollower, TaskLost, type TaskOptions } from './task-follower.ts';
export type { ClientIdentity } from './tls-agent.ts';
export type { TransferAnswer, TransportOptions } from './transport.ts';
export { type Trust, UntrustedPeer } from './trust.ts';
export type { StreamEvent, StreamFilter, StreamOptions } from './update-stream.ts';
export { faultOf } from './wire-fault.ts';
