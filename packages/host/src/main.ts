// The hostd process: reads its options, starts, and ends on SIGTERM. A failure to start is one log line and exit code 1.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { boundedWrite, logSink, systemClock, systemRandom } from '@vivarium/base/node';
import { pino, stdTimeFunctions } from 'pino';
import { startHostd } from './hostd.ts';
import type { HostdOptions } from './options.ts';
import { restartCompiled } from './restart-compiled.ts';
import { keepMemoryTrimmed } from './trim-memory.ts';

restartCompiled();

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const log = pino(
  { level: process.env['VIVARIUM_LOG_LEVEL'] ?? 'info', timestamp: stdTimeFunctions.isoTime },
  logSink(1, boundedWrite(1)),
);

process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'hostd ends: a bug; running guests are not touched');
  process.exit(70);
});

const [configFile] = process.argv.slice(2);
if (!configFile) {
  log.fatal({}, 'usage: main.ts <hostd.json>');
  process.exit(64);
}
// Nothing else keeps the process alive while it starts and ends: timers of the clock do not.
const alive = setInterval(() => undefined, 1 << 30);
try {
  const options = JSON.parse(await readFile(configFile, 'utf8')) as HostdOptions;
  const hostd = await startHostd(options, { clock: systemClock, random: systemRandom, log, version });
  keepMemoryTrimmed(systemClock);
  const stop = async (signal: string) => {
    log.info({ signal }, 'hostd stops');
    await hostd.close();
    clearInterval(alive);
    process.exit(0);
  };
  process.once('SIGTERM', (signal) => void stop(signal));
  process.once('SIGINT', (signal) => void stop(signal));
} catch (error) {
  log.fatal({ err: error }, 'hostd cannot start');
  process.exit(1);
}
