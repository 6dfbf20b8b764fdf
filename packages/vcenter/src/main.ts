// The vpxd process: reads its options, starts, and ends on SIGTERM. A failure to start is one log line and exit code 1. One that
// led and is deposed becomes one that stands by.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { boundedWrite, logSink, systemClock, systemRandom } from '@vivarium/base/node';
import { pino, stdTimeFunctions } from 'pino';
import type { VpxdProcessOptions } from './options.ts';
import { startVpxd } from './start-vpxd.ts';

/** The second argument of one that led or stood by before. */
const AGAIN = 'again';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const log = pino(
  { level: process.env['VIVARIUM_LOG_LEVEL'] ?? 'info', timestamp: stdTimeFunctions.isoTime },
  logSink(1, boundedWrite(1)),
);

process.on('uncaughtException', (error) => {
  log.fatal({ err: error }, 'vpxd ends: a bug; hosts and guests are not touched');
  process.exit(70);
});

const [configFile, again] = process.argv.slice(2);
if (!configFile) {
  log.fatal({}, 'usage: main.ts <vpxd.json>');
  process.exit(64);
}
// Nothing else keeps the process alive while it starts and ends: timers of the clock do not.
const alive = setInterval(() => undefined, 1 << 30);
const ending = new AbortController();

/** In the same process, by execve(2): nothing of the one that led is left, neither its connections nor its memory. */
function beginAnew(why: string): void {
  if (ending.signal.aborted) process.exit(0);
  log.error({ why }, 'this vpxd leads no longer: it begins anew, and stands by');
  const [program = ''] = process.argv.slice(1);
  const args = [process.execPath, ...process.execArgv, program, configFile ?? '', AGAIN];
  process.execve?.(process.execPath, args, process.env);
  process.exit(75);
}

try {
  const options = JSON.parse(await readFile(configFile, 'utf8')) as VpxdProcessOptions;
  const starting = startVpxd(options, {
    clock: systemClock,
    random: systemRandom,
    log,
    version,
    isAgain: again === AGAIN,
    signal: ending.signal,
    deposed: beginAnew,
  });
  const stop = async (signal: string) => {
    log.info({ signal }, 'vpxd stops');
    ending.abort(new Error(signal));
    const vpxd = await starting.catch(() => undefined);
    await vpxd?.close();
    clearInterval(alive);
    process.exit(0);
  };
  process.once('SIGTERM', (signal) => void stop(signal));
  process.once('SIGINT', (signal) => void stop(signal));
  await starting;
} catch (error) {
  if (!ending.signal.aborted) {
    log.fatal({ err: error }, 'vpxd cannot start');
    process.exit(1);
  }
}
