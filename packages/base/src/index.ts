export { type Clock, dateTime, delay, type Timer } from './clock.ts';
export { InvariantError, invariant } from './invariant.ts';
export { type Logger, silentLogger } from './logger.ts';
export { Mutex } from './mutex.ts';
export { type Random, token, uuid } from './random.ts';
