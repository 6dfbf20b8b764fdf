import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_SECURITY } from '../configuration.ts';
import { planFlows, type SwitchPort } from './plan-flows.ts';

const OPEN = { allowPromiscuous: false, macChanges: true, forgedTransmits: true };
const STRICT = { allowPromiscuous: false, macChanges: false, forgedTransmits: false };

function port(ofport: number, more: Partial<SwitchPort> = {}): SwitchPort {
  const mac = `00:50:56:00:00:0${ofport}`;
  return { ofport, vlanId: 0, kind: 'guest', mac, security: STRICT, ...more };
}

/** Actions of the flow that has exactly this match, without its priority. */
function actions(flows: readonly string[], match: string): string | undefined {
  const found = flows.find((flow) => flow.replace(/priority=\d+,/, '').startsWith(`${match},actions=`));
  return found?.slice(found.indexOf('actions=') + 'actions='.length);
}

test('a switch without ports drops everything', () => {
  const flows = planFlows([]);
  assert.ok(
    flows.every((flow) => flow.endsWith('actions=drop')),
    flows.join('\n'),
  );
});

test('an access port may send untagged frames, with any source only where forged transmits are accepted', () => {
  const flows = planFlows([port(1, { vlanId: 10 }), port(2, { vlanId: 10, security: OPEN })]);
  const admitted = 'set_field:10->reg0,resubmit(,1)';
  assert.equal(actions(flows, 'table=0,in_port=1,dl_src=00:50:56:00:00:01,vlan_tci=0x0000/0x1000'), admitted);
  assert.equal(actions(flows, 'table=0,in_port=2,vlan_tci=0x0000/0x1000'), admitted);
  assert.equal(flows.filter((flow) => flow.includes('in_port=')).length, 2);
});

test('group addresses go to every port of the VLAN, known ones to their port alone', () => {
  const flows = planFlows([port(1, { vlanId: 10 }), port(2, { vlanId: 10 }), port(3, { vlanId: 20 })]);
  const group = 'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00';
  assert.equal(actions(flows, `table=1,reg0=10,${group}`), 'output:1,output:2');
  assert.equal(actions(flows, `table=1,reg0=20,${group}`), 'output:3');
  assert.equal(actions(flows, 'table=1,reg0=10,dl_dst=00:50:56:00:00:01'), 'output:1');
  assert.equal(actions(flows, 'table=1,reg0=20,dl_dst=00:50:56:00:00:01'), undefined);
});

test('unknown addresses reach only ports that listen to all, or that may have changed theirs', () => {
  const promiscuous = { ...STRICT, allowPromiscuous: true };
  const flows = planFlows([port(1), port(2, { security: promiscuous }), port(3, { security: OPEN })]);
  assert.equal(actions(flows, 'table=1,reg0=0'), 'output:2,output:3');
  assert.equal(actions(flows, 'table=1,reg0=0,dl_dst=00:50:56:00:00:01'), 'output:1,output:2');
  assert.equal(actions(planFlows([port(1)]), 'table=1,reg0=0'), 'drop');
});

test('a trunk sends any VLAN and gets each frame with its tag', () => {
  const flows = planFlows([port(1, { vlanId: 10 }), port(2, { vlanId: 4095 })]);
  const tagged = 'push_vlan:0x8100,move:NXM_NX_REG0[0..11]->OXM_OF_VLAN_VID[0..11],output:2';
  const group = 'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00';
  assert.equal(actions(flows, `table=1,reg0=10,${group}`), `output:1,${tagged}`);
  assert.equal(actions(flows, `table=1,reg0=0,${group}`), 'output:2');
  assert.equal(actions(flows, `table=1,${group}`), tagged);
  assert.equal(actions(flows, 'table=1,dl_dst=00:50:56:00:00:02'), tagged);
  assert.equal(
    actions(flows, 'table=0,in_port=2,dl_src=00:50:56:00:00:02,vlan_tci=0x1000/0x1000'),
    'move:OXM_OF_VLAN_VID[0..11]->NXM_NX_REG0[0..11],pop_vlan,resubmit(,1)',
  );
});

test('a port whose guest changed its address is cut off where that is refused, and followed where it is not', () => {
  const effectiveMac = '00:50:56:99:99:99';
  const cut = planFlows([port(1, { effectiveMac }), port(2)]);
  assert.ok(!cut.some((flow) => /in_port=1,|output:1\b/.test(flow)), cut.join('\n'));
  const security = { ...STRICT, macChanges: true };
  const followed = planFlows([port(1, { effectiveMac, security }), port(2)]);
  assert.equal(actions(followed, `table=1,reg0=0,dl_dst=${effectiveMac}`), 'output:1');
  assert.ok(actions(followed, `table=0,in_port=1,dl_src=${effectiveMac},vlan_tci=0x0000/0x1000`));
});

test('no policy holds for the host’s own port', () => {
  const flows = planFlows([port(1, { kind: 'service', security: { ...STRICT, allowPromiscuous: true } }), port(2)]);
  assert.ok(actions(flows, 'table=0,in_port=1,vlan_tci=0x0000/0x1000'));
  assert.equal(actions(flows, 'table=1,reg0=0,dl_dst=00:50:56:00:00:02'), 'output:2');
});

const GROUP = 'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00';

test('what a port sends to others leaves by its uplink with the tag of its VLAN', () => {
  const flows = planFlows([port(1, { vlanId: 10, uplink: 8 }), port(2, { vlanId: 0, uplink: 9 })], [8, 9]);
  const source = 'dl_src=00:50:56:00:00:01,vlan_tci=0x0000/0x1000';
  assert.equal(actions(flows, `table=0,in_port=1,${source}`), 'set_field:10->reg0,set_field:8->reg1,resubmit(,1)');
  const tagged = 'push_vlan:0x8100,move:NXM_NX_REG0[0..11]->OXM_OF_VLAN_VID[0..11],output:NXM_NX_REG1[]';
  assert.equal(actions(flows, `table=1,reg0=10,${GROUP}`), `output:1,${tagged}`);
  assert.equal(actions(flows, 'table=1,reg0=10'), tagged);
  assert.equal(actions(flows, 'table=1,reg0=0'), 'output:NXM_NX_REG1[]');
  assert.equal(actions(flows, 'table=1,reg0=10,dl_dst=00:50:56:00:00:01'), 'output:1');
});

test('a guest that may change its address is not offered what belongs to the network beyond', () => {
  const flows = planFlows([port(1, { security: OPEN, uplink: 8 }), port(2, { security: OPEN, uplink: 8 })], [8]);
  assert.equal(actions(flows, 'table=1,reg0=0'), 'output:NXM_NX_REG1[]');
  assert.equal(actions(flows, 'table=2,reg0=0,in_port=8'), 'drop');
});

test('what an uplink brings goes to ports of its VLAN alone, and to no other uplink', () => {
  const flows = planFlows([port(1, { vlanId: 10, uplink: 8 }), port(2, { vlanId: 20, uplink: 8 })], [8, 9]);
  const note = 'move:OXM_OF_VLAN_VID[0..11]->NXM_NX_REG0[0..11],pop_vlan,resubmit(,2)';
  assert.equal(actions(flows, 'table=0,in_port=8,vlan_tci=0x1000/0x1000'), note);
  assert.equal(actions(flows, `table=2,reg0=10,${GROUP},in_port=8`), 'output:1');
  assert.equal(actions(flows, 'table=2,reg0=20,dl_dst=00:50:56:00:00:02,in_port=8'), 'output:2');
  assert.equal(actions(flows, 'table=2,reg0=20,dl_dst=00:50:56:00:00:01,in_port=8'), undefined);
  const fromBeyond = flows.filter((flow) => flow.startsWith('table=2'));
  assert.ok(!fromBeyond.some((flow) => /output:(8|9|NXM)/.test(flow)), fromBeyond.join('\n'));
});

test('a frame for all that comes by two uplinks reaches each port once, by its own', () => {
  const flows = planFlows([port(1, { uplink: 8 }), port(2, { uplink: 9 })], [8, 9]);
  assert.equal(actions(flows, `table=2,reg0=0,${GROUP},in_port=8`), 'output:1');
  assert.equal(actions(flows, `table=2,reg0=0,${GROUP},in_port=9`), 'output:2');
});

test('a frame of the switch’s own that another uplink brings back is dropped, on its VLAN', () => {
  const flows = planFlows([port(1, { vlanId: 10, uplink: 8 }), port(2, { uplink: 8 })], [8, 9]);
  const dropped = flows.filter((flow) => flow.startsWith('table=0,in_port=9,priority=200'));
  assert.deepEqual(dropped, [
    'table=0,in_port=9,priority=200,dl_src=00:50:56:00:00:01,vlan_tci=0x100a/0x1fff,actions=drop',
    'table=0,in_port=9,priority=200,dl_src=00:50:56:00:00:02,vlan_tci=0x0000/0x1000,actions=drop',
  ]);
});

test('a trunk speaks to the network beyond in every VLAN', () => {
  const flows = planFlows([port(1, { vlanId: 4095, uplink: 8 })], [8]);
  const tag = 'push_vlan:0x8100,move:NXM_NX_REG0[0..11]->OXM_OF_VLAN_VID[0..11]';
  assert.equal(actions(flows, `table=1,${GROUP}`), `${tag},output:1,output:NXM_NX_REG1[]`);
  assert.equal(actions(flows, `table=2,${GROUP},in_port=8`), `${tag},output:1`);
  assert.equal(actions(flows, `table=2,reg0=0,${GROUP},in_port=8`), 'output:1');
});

test('two guests with one address both get its frames', () => {
  const twin = { mac: '00:50:56:00:00:07', security: DEFAULT_SECURITY };
  const flows = planFlows([port(1, twin), port(2, twin)]);
  assert.equal(actions(flows, 'table=1,reg0=0,dl_dst=00:50:56:00:00:07'), 'output:1,output:2');
});
