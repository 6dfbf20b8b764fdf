import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { findProcess, identifyProcess, isAlive, parseStat, signalProcess } from './process-identity.ts';

void suite('a process', () => {
  void test('is known by pid and start time', () => {
    const own = identifyProcess(process.pid) ?? assert.fail();
    assert.ok(isAlive(own));
    assert.deepEqual(findProcess(own.pid, own.startTime), own);
    assert.equal(findProcess(own.pid, own.startTime - 1), undefined);
    assert.equal(identifyProcess(2 ** 30), undefined);
  });

  void test('that ended is not alive, and gets no signal', async () => {
    const child = spawn('sleep', ['1000']);
    const identity = identifyProcess(child.pid ?? 0) ?? assert.fail();
    assert.ok(signalProcess(identity, 'SIGKILL'));
    await once(child, 'exit');
    assert.ok(!isAlive(identity));
    assert.equal(signalProcess(identity, 'SIGKILL'), false);
  });

  void test('with another start time gets no signal', () => {
    const own = identifyProcess(process.pid) ?? assert.fail();
    assert.equal(signalProcess({ ...own, startTime: own.startTime + 1 }, 'SIGKILL'), false);
  });

  void test('may call itself anything', () => {
    const real = readFileSync('/proc/self/stat', 'latin1');
    const tail = real.slice(real.lastIndexOf(')'));
    assert.deepEqual(parseStat(`17 (evil) Z 1 (x${tail}`), parseStat(real));
  });

  void test('that is a zombie is dead', () => {
    const stat = '17 (qemu) Z 1 1 1 0 -1 4 0 0 0 0 5 7 0 0 20 0 1 0 4711 0 0 0';
    assert.deepEqual(parseStat(stat), { isDead: true, startTime: 4711, cpuTicks: 12, residentPages: 0 });
    assert.equal(parseStat('nonsense'), undefined);
    assert.equal(parseStat(''), undefined);
  });
});
