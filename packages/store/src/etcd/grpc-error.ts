// A call that did not succeed, with gRPC's status code (grpc.io/docs/guides/status-codes).

export const grpcStatus = {
  deadlineExceeded: 4,
  permissionDenied: 7,
  notFound: 5,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;
  /** The request never left this machine, or the server said that it did nothing. */
  readonly isUnsent: boolean;

  constructor(code: number, message: string, options: { readonly isUnsent?: boolean; readonly cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.isUnsent = options.isUnsent ?? false;
  }
}
