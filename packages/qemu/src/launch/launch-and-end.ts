// For launch.test.ts: starts a machine in the folders that it is told, prints who it is, and dies at once.
import { writeSync } from 'node:fs';
import { plainMachine, startMachine } from '../test-machine.ts';

const [folder = '', runFolder = ''] = process.argv.slice(2);
const machine = await startMachine({ after: () => undefined }, plainMachine(), { folder, runFolder });
writeSync(1, JSON.stringify(machine.process));
process.kill(process.pid, 'SIGKILL');
