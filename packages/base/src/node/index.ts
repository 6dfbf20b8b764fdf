export { boundedWrite } from './bounded-write.ts';
export { logSink } from './log-sink.ts';
export { systemClock } from './system-clock.ts';
export { systemRandom } from './system-random.ts';
export { syncDirectory, writeDurable } from './write-durable.ts';
