import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AutoStartPowerInfo, make } from '@vivarium/vim';
import { type PublishedHost, publishedHost } from '../testing/published-host.ts';
import { vmSpec } from '../testing/test-host.ts';
import { until } from '../testing/virtual-clock.ts';
import { AUTO_START_MANAGER, addAutoStartManager } from './auto-start-manager.ts';

const START_DELAY_S = 60;

/** A hostd's part in autostart; `end` is its end. */
function manage({ host, service }: PublishedHost) {
  const ending = new AbortController();
  const { store, registry } = host;
  const autoStart = addAutoStartManager({ service, store, findVm: (id) => registry.find(id) });
  return {
    boot: (id: string) => autoStart.obey(id, ending.signal).catch(() => undefined),
    end: () => ending.abort(),
  };
}

async function threeVms(context: TestContext) {
  const published = await publishedHost(context);
  for (const name of ['db', 'app', 'web']) await published.host.create(vmSpec(name));
  const manager = manage(published);
  const powerInfo = published.host.registry.all.map(
    ({ ref }, index): AutoStartPowerInfo =>
      make('AutoStartPowerInfo', {
        key: ref,
        startOrder: index + 1,
        startDelay: START_DELAY_S,
        waitForHeartbeat: 'no',
        startAction: 'powerOn',
        stopDelay: 0,
        stopAction: 'powerOff',
      }),
  );
  const defaults = make('AutoStartDefaults', { enabled: true });
  await published.invoke(AUTO_START_MANAGER, 'ReconfigureAutostart', {
    spec: make('HostAutoStartManagerConfig', { defaults, powerInfo }),
  });
  return { published, manager };
}

const stop = ({ host }: PublishedHost, name: string) =>
  host.registry.all.find((vm) => vm.name === name)?.powerOff({ progress() {} });

function running({ host }: PublishedHost): string[] {
  return host.registry.all
    .filter(({ power }) => power === 'poweredOn')
    .map(({ name }) => name)
    .sort();
}

const runs = (published: PublishedHost, ...names: string[]) =>
  until(`${names.join()} run`, () => running(published).join() === names.toSorted().join());

void test('VMs start once after a boot, one after the other with their delays', async (context) => {
  const { published, manager } = await threeVms(context);
  const { clock } = published.host;
  const ended = manager.boot('first');
  await runs(published, 'db');
  await clock.advance(START_DELAY_S * 1000 - 1);
  assert.deepEqual(running(published), ['db']);
  await clock.advance(1);
  await runs(published, 'db', 'app');
  await clock.advance(START_DELAY_S * 1000);
  await runs(published, 'db', 'app', 'web');
  await ended;
  await stop(published, 'db');
  await manager.boot('first');
  assert.deepEqual(running(published), ['app', 'web']);
});

void test('a hostd that ends in the middle is followed by one that starts the rest, and nothing twice', async (context) => {
  const { published, manager } = await threeVms(context);
  void manager.boot('first');
  await runs(published, 'db');
  await published.host.clock.advance(START_DELAY_S * 1000);
  await runs(published, 'db', 'app');
  await until('what is left is kept', () => {
    const { steps } = published.host.store.get<{ steps: unknown[] }>('auto-start/left')?.value ?? {};
    return steps?.length === 1;
  });
  manager.end();
  const next = await published.restart();
  await stop(next, 'db');
  const ended = manage(next).boot('first');
  await next.host.clock.advance(START_DELAY_S * 1000 - 1);
  assert.deepEqual(running(next), ['app']);
  await next.host.clock.advance(1);
  await runs(next, 'app', 'web');
  await ended;
  assert.equal(next.host.store.get('auto-start/left'), undefined);
});

void test('what is no longer to start with the host is not started after an interruption either', async (context) => {
  const { published, manager } = await threeVms(context);
  void manager.boot('first');
  await runs(published, 'db');
  manager.end();
  const next = await published.restart();
  const again = manage(next);
  await next.invoke(AUTO_START_MANAGER, 'ReconfigureAutostart', {
    spec: make('HostAutoStartManagerConfig', { defaults: make('AutoStartDefaults', { enabled: false }) }),
  });
  await again.boot('first');
  assert.deepEqual(running(next), ['db']);
});
