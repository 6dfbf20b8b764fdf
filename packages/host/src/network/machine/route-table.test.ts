import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSubnet } from '../services/subnet.ts';
import { defaultRoute, parseRouteTable } from './route-table.ts';

const TABLE = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
tun0\t0000080A\t0100630A\t0003\t0\t0\t0\t0000F8FF\t0\t0\t0
`;

test('the kernel’s routing table is read', () => {
  const routes = parseRouteTable(TABLE);
  assert.deepEqual(
    routes.map(({ device, destination, gateway }) => [device, formatSubnet(destination), gateway]),
    [
      ['wlan0', '0.0.0.0/0', '192.168.1.1'],
      ['eth0', '0.0.0.0/0', '192.0.2.1'],
      ['eth0', '192.0.2.0/24', undefined],
      ['tun0', '10.8.0.0/13', '10.99.0.1'],
    ],
  );
});

test('of two default routes the one with the lower metric is used', () => {
  assert.equal(defaultRoute(parseRouteTable(TABLE))?.device, 'eth0');
  assert.equal(defaultRoute(parseRouteTable('')), undefined);
});
