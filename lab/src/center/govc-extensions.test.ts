// Extensions log in to a simulated vCenter through its SDK tunnel, by certificates that govc makes.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { govcPath } from '../clients/govc.ts';
import { useGovc, withoutGovc } from '../govc/use-govc.ts';
import { run } from '../testing/run.ts';
import { useLabSim } from '../testing/use-lab-sim.ts';

const KEY = 'com.example.backup';
const OTHER = 'com.example.other';

describe('extensions and a vCenter', { skip: withoutGovc }, () => {
  const sim = useLabSim('-tunnel', '0', '-vm', '1');
  const govc = useGovc(sim);
  /** Makes a key pair for an extension, beside the other state; `-cert-pem +` sets its certificate, too. */
  const makeCertificate = async (kind: '+' | '++', key: string) => {
    const args = ['extension.setcert', '-cert-pem', kind, '-org', 'Example', key];
    const { code, stderr } = await run(govcPath(), args, { env: sim().env, cwd: sim().stateDir });
    assert.equal(code, 0, stderr);
  };
  const certificate = (key: string) => [
    '-cert',
    join(sim().stateDir, `${key}.crt`),
    '-key',
    join(sim().stateDir, `${key}.key`),
  ];
  const logIn = (extension: string, of: string) => ['session.login', '-extension', extension, ...certificate(of)];
  /** As somebody else than the administrator. */
  const stranger = govc.with({ GOVC_USERNAME: undefined, GOVC_PASSWORD: undefined, GOVC_PERSIST_SESSION: 'true' });

  test('one that is registered logs in by its certificate and works; another certificate does not do', async () => {
    const extension = JSON.stringify({
      key: KEY,
      version: '1.0',
      description: { label: 'Backup', summary: 'Copies VMs' },
    });
    await govc.input(extension, 'extension.register');
    await makeCertificate('++', OTHER);
    await stranger.refused(/incorrect user name or password/, ...logIn(KEY, OTHER));
    await makeCertificate('+', KEY);
    assert.match(await govc('extension.info', KEY), /Subject name: +O=Example/);
    await stranger.refused(/incorrect user name or password/, ...logIn(KEY, OTHER));
    await stranger.refused(/incorrect user name or password/, ...logIn(OTHER, OTHER));
    await stranger.refused(/No client certificate/, 'session.login', '-extension', KEY);
    await stranger(...logIn(KEY, KEY));
    // The session goes on without tunnel and certificate.
    assert.match(await stranger('session.ls'), new RegExp(` ${KEY} `));
    await stranger('vm.power', '-off', 'DC0_H0_VM0');
    await govc('extension.unregister', KEY);
    // Without a session, who names no user sees nothing.
    await stranger.refused(/please specify a datacenter/, 'vm.power', '-on', 'DC0_H0_VM0');
  });
});
