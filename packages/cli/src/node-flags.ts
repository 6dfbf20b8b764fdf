// How Node.js runs a vCenter, also a simulated one.

/**
 * A large young generation, as what a vCenter makes for its clients is gone again when the collector of garbage comes. And no object is
 * made among the old ones because others from the same line lived long: requests that wait do, each would keep what hangs on it until
 * the next full collection (with 1,000 clients that wait, 4 KB a reply). The heap may double before such a collection: it holds up what
 * clients wait for, for some 200 ms.
 */
export const CENTER_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-semi-space-size=64',
  '--no-allocation-site-pretenuring',
  '--heap-growing-percent=100',
] as const;
