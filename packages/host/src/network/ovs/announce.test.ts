import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SECURITY } from '../configuration.ts';
import { announcements, spokenBy } from './announce.ts';

const port = (ofport: number, uplink: number | undefined, vlanId = 0) => ({
  ofport,
  vlanId,
  kind: 'guest' as const,
  mac: `00:50:56:00:00:0${ofport}`,
  security: DEFAULT_SECURITY,
  ...(uplink === undefined ? {} : { uplink }),
});

test('ports that speak by another uplink are announced there, and no others', () => {
  const before = spokenBy([port(1, 8), port(2, 8), port(3, undefined)]);
  const lines = announcements([port(1, 8), port(2, 9), port(3, undefined), port(4, 9)], before);
  assert.deepEqual(
    lines.map((line) => line.match(/^packet-out .*ffffffffffff0050560000(\d\d)8035.*output:(\d)$/)?.slice(1)),
    [
      ['02', '9'],
      ['04', '9'],
    ],
  );
});

test('an announcement is a RARP request for all, in the port’s VLAN', () => {
  const [untagged = '', tagged = ''] = announcements([port(1, 8), port(2, 8, 20)], new Map());
  const own = '005056000001';
  assert.match(untagged, new RegExp(`packet=ffffffffffff${own}80350001080006040003${own}00000000${own}0{44},`));
  assert.match(tagged, /packet=ffffffffffff005056000002810000148035/);
});
