// Progress for people on standard error: a spinner on a terminal, plain lines elsewhere. Standard output stays for results.
import { spinner } from '@clack/prompts';

export interface Step {
  /** Replaces the step's line; `fraction` from 0 to 1. */
  update(text: string, fraction?: number): void;
  done(text: string): void;
  failed(text: string): void;
}

/** Begins a step that takes a while. */
export function beginStep(text: string): Step {
  return process.stderr.isTTY ? spinningStep(text) : plainStep(text);
}

function spinningStep(text: string): Step {
  const line = spinner({ output: process.stderr });
  line.start(text);
  return {
    update: (next, fraction) => line.message(withPercent(next, fraction)),
    done: (last) => line.stop(last),
    failed: (last) => line.error(last),
  };
}

function plainStep(text: string): Step {
  const print = (line: string) => process.stderr.write(`viv: ${line}\n`);
  let shown = text;
  print(text);
  return {
    update(next) {
      if (next === shown) return;
      shown = next;
      print(next);
    },
    done: print,
    failed: print,
  };
}

function withPercent(text: string, fraction: number | undefined): string {
  return fraction === undefined ? text : `${text} (${Math.round(fraction * 100)} %)`;
}
