// A new lease of etcd's under an id of our own choice, so that asking again after a lost answer makes no second one.
import type { Random } from '@vivarium/base';
import { StoreError } from '../errors.ts';
import { type EtcdClient, methods } from './etcd-client.ts';
import { GrpcError, grpcStatus } from './grpc-error.ts';

interface Options {
  readonly client: Pick<EtcdClient, 'call'>;
  readonly random: Random;
  /** Seconds. */
  readonly ttl: number;
  readonly timeoutMs: number;
}

/** The lease's id: positive, and exact as a number. Rejects as EtcdClient.call does. */
export async function grantLease({ client, random, ttl, timeoutMs }: Options): Promise<number> {
  const id = Buffer.from(random.bytes(6)).readUIntBE(0, 6) || 1;
  try {
    await client.call(methods.leaseGrant, { ttl, id }, timeoutMs);
  } catch (error) {
    if (!isThereAlready(error)) throw error;
    // An earlier try of this call has made it, and its answer was lost: nobody else draws the same 48 bits.
  }
  return id;
}

function isThereAlready(error: unknown): boolean {
  const cause = error instanceof StoreError ? error.cause : undefined;
  return (
    cause instanceof GrpcError &&
    cause.code === grpcStatus.failedPrecondition &&
    cause.message.includes('lease already exists')
  );
}
