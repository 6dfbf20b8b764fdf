import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineCharts, ticks } from './line-charts.ts';

void test('an axis begins at 0, ends at or above its values, and has a handful of round steps', () => {
  assert.deepEqual(ticks(45_000), [0, 10_000, 20_000, 30_000, 40_000, 50_000]);
  assert.deepEqual(ticks(0.37), [0, 0.1, 0.2, 0.3, 0.4]);
  for (const most of [0.003, 1, 7, 50, 99.9, 1234, 4096]) {
    const all = ticks(most);
    assert.equal(all[0], 0);
    assert.ok((all.at(-1) ?? 0) >= most && all.length <= 6, `${most}: ${all.join(' ')}`);
  }
});

void test('each line goes through its points, in the frame; a guide is dashed', () => {
  const line = {
    label: 'start <s>',
    points: [
      [0, 0],
      [50, 5],
      [100, 10],
    ],
  } as const;
  const guide = {
    label: 'linear',
    points: [
      [0, 0],
      [100, 10],
    ],
    isGuide: true,
  } as const;
  const svg = lineCharts([{ title: 'Start', unit: 's', lines: [line, guide] }], 'VMs');
  assert.match(svg, /<polyline points="52,200 189,117 326,34" fill="none" stroke="#2f81f7"/);
  assert.match(svg, /<polyline points="52,200 326,34" fill="none" stroke="#8b949e" stroke-dasharray/);
  assert.match(svg, />start &lt;s></);
  assert.equal(svg.match(/<circle/g)?.length, 3);
});
