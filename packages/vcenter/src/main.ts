// The vpxd process: reads its options, starts, and ends on SIGTERM. A failure to start is one log line and exit code 1.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { systemClock, systemRandom } from '@vivarium/base/node';
import { destination, pino, stdTimeFunctions } from 'pino';
import type { VpxdProcessOptions } from './options.ts';
import { startVpxd } from './start-vpxd.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const log = pino(
  { level: process.env['VIVARIUM_LOG_LEVEL'] ?? 'info', timestamp: stdTimeFunctions.isoTime },
  destination({ dest: 1, sync: true }),
);

process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'vpxd ends: a bug; hosts and guests are not touched');
  process.exit(70);
});

const [configFile] = process.argv.slice(2);
if (!configFile) {
  log.fatal({}, 'usage: main.ts <vpxd.json>');
  process.exit(64);
}
// Nothing else keeps the process alive while it starts and ends: timers of the clock do not.
const alive = setInterval(() => undefined, 1 << 30);
try {
  const options = JSON.parse(await readFile(configFile, 'utf8')) as VpxdProcessOptions;
  const vpxd = await startVpxd(options, { clock: systemClock, random: systemRandom, log, version });
  const stop = async (signal: string) => {
    log.info({ signal }, 'vpxd stops');
    await vpxd.close();
    clearInterval(alive);
    process.exit(0);
  };
  process.once('SIGTERM', (signal) => void stop(signal));
  process.once('SIGINT', (signal) => void stop(signal));
} catch (error) {
  log.fatal({ err: error }, 'vpxd cannot start');
  process.exit(1);
}
