// For tests: what every engine has to keep to.
import { testBackup, testMigrations } from './backup.ts';
import { testContents } from './contents.ts';
import { testDocuments } from './documents.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { testHistory } from './history.ts';
import { testLocks } from './locks.ts';
import { testAgainstModel } from './model.ts';
import { testShared } from './shared.ts';

export type { EngineUnderTest, Place } from './engine-under-test.ts';
export { HandClock } from './hand-clock.ts';

/** Registers the tests. */
export function testConformance(engine: EngineUnderTest): void {
  testDocuments(engine);
  testHistory(engine);
  testLocks(engine);
  testContents(engine);
  testBackup(engine);
  testMigrations(engine);
  testAgainstModel(engine);
  if (engine.isShared) testShared(engine);
}
