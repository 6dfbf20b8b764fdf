// Waiting in tests: for a condition, and not for ever.
import assert from 'node:assert/strict';

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'waited for 20 s');
    // oxlint-disable-next-line no-restricted-globals -- a test's own time
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
