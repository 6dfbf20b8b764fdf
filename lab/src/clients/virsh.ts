// virsh with libvirt's own ESX driver, from Debian's packages.
import { run } from '../testing/run.ts';
import type { ClientUnderTest } from './client.ts';

export async function installVirsh(): Promise<ClientUnderTest> {
  const name = 'virsh';
  const version = async () => {
    const said = await run('virsh', ['--version']).catch(() => undefined);
    return said?.code === 0 ? said.stdout.trim() : undefined;
  };
  const there = await version();
  if (there) return { name, state: 'installed', detail: there };
  if (process.getuid?.() !== 0) return { name, state: 'not run', detail: 'libvirt-clients is not installed' };
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { env, timeoutMs: 300_000 }).catch(() => undefined);
  const args = ['install', '-y', '--no-install-recommends', 'libvirt-clients'];
  const installed = await run('apt-get', args, { env, timeoutMs: 300_000 }).catch(() => undefined);
  const now = await version();
  if (now) return { name, state: 'installed', detail: now };
  return { name, state: 'not run', detail: installed?.stderr.trim().split('\n').at(-1) ?? 'apt-get is not here' };
}
