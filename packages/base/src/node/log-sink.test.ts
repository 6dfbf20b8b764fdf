import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logSink } from './log-sink.ts';

void test('lines for which there is no room are lost, and told of when there is some again', () => {
  let room = 10;
  let file = '';
  const sink = logSink(1, (_fd, bytes) => {
    if (room === 0) throw new Error('ENOSPC');
    const some = bytes.subarray(0, room);
    room -= some.length;
    file += some.toString();
    return some.length;
  });
  sink.write('first\n');
  sink.write('second\n'); // torn
  sink.write('third\n');
  room = 1_000;
  sink.write('fourth\n');
  sink.write('fifth\n');
  const [first, torn, told = '', fourth, fifth] = file.split('\n');
  assert.deepEqual([first, torn, fourth, fifth], ['first', 'seco', 'fourth', 'fifth']);
  assert.equal((JSON.parse(told) as { lost: number }).lost, 2);
});
