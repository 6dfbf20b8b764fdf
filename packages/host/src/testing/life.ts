// One life of hostd, which a test can end like kill -9 does: at the n-th step that changes anything outside the process
// (file, store, machine). From then on nothing that belongs to this life changes anything any more, its undo included.
//
// File operations are counted by replacing the functions of node:fs/promises for the whole test process; which life a call
// belongs to is told by the asynchronous context that it is made in. Calls from outside any life pass untouched.
import { AsyncLocalStorage } from 'node:async_hooks';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import type { Store } from '@vivarium/store';

/** What a dead life's steps throw. */
export class Killed extends Error {
  override readonly name = 'Killed';
}

const lives = new AsyncLocalStorage<Life>();

export class Life {
  /** Names of the steps so far: where a failing test died. */
  readonly steps: string[] = [];
  #killAt: number;
  #isDead = false;

  /** `killAt`: the step that is not made any more, counted from 1. */
  constructor(killAt = Number.POSITIVE_INFINITY) {
    this.#killAt = killAt;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Of the steps from now on, the `count`th is not made any more. */
  killAtStep(count: number): void {
    this.#killAt = this.steps.length + count;
  }

  /** Runs `work` in this life. */
  run<T>(work: () => T): T {
    return lives.run(this, work);
  }

  /** Before something outside changes. Throws when hostd is dead, or dies now. */
  step(name: string): void {
    if (!this.#isDead) this.steps.push(name);
    if (this.steps.length >= this.#killAt) this.#isDead = true;
    if (this.#isDead) throw new Killed(`killed at step ${this.steps.length}: ${name}`);
  }

  /** Dies between two steps. */
  kill(): void {
    this.#isDead = true;
  }

  /** `store`, as this life writes to it. */
  store(store: Store): Store {
    return {
      get revision() {
        return store.revision;
      },
      get isStale() {
        return store.isStale;
      },
      history: store.history,
      get: (key) => store.get(key),
      range: (prefix, options) => store.range(prefix, options),
      watch: (prefix, from) => store.watch(prefix, from),
      sync: () => store.sync(),
      lock: (name, options) => store.lock(name, options),
      lockHolder: (name) => store.lockHolder(name),
      guard: (lease) => this.store(store.guard(lease)),
      snapshot: () => store.snapshot(),
      replace: async (items, options) => {
        this.step('store replace');
        return store.replace(items, options);
      },
      close: () => store.close(),
      batch: async (ops, compares) => {
        this.step(`store ${ops.map((op) => ('put' in op ? `put ${op.put}` : `delete ${op.delete}`)).join(', ')}`);
        return store.batch(ops, compares);
      },
    };
  }
}

const CHANGING = ['mkdir', 'rm', 'rmdir', 'unlink', 'rename', 'link', 'writeFile', 'copyFile', 'truncate'] as const;
const WRITING = constants.O_WRONLY | constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;

type Anything = (...args: unknown[]) => Promise<unknown>;

/** From now on, until disposed of, changes of files are steps of the life that they are made in. */
export async function countFileSteps(): Promise<AsyncDisposable> {
  const functions = fs as unknown as Record<string, Anything>;
  const handles = await handlePrototype();
  const restores: (() => void)[] = [];
  const replace = (owner: Record<string, Anything>, name: string, replacement: (original: Anything) => Anything) => {
    const original = owner[name];
    if (!original) throw new Error(`there is no ${name}`);
    owner[name] = replacement(original);
    restores.push(() => void (owner[name] = original));
  };
  for (const name of CHANGING) replace(functions, name, (original) => counted(`fs.${name}`, original));
  replace(
    functions,
    'open',
    (original) =>
      async function open(this: unknown, ...args: unknown[]) {
        const flags = args[1] ?? 'r';
        const isWriting = typeof flags === 'number' ? (flags & WRITING) !== 0 : flags !== 'r';
        if (isWriting) lives.getStore()?.step(`fs.open ${shortName(args[0])}`);
        return original.apply(this, args);
      },
  );
  for (const name of ['write', 'truncate', 'sync']) {
    replace(handles, name, (original) => counted(`file.${name}`, original));
  }
  replace(
    handles,
    'writeFile',
    (original) =>
      async function writeFile(this: unknown, ...args: unknown[]) {
        const life = lives.getStore();
        const wasDead = life?.isDead ?? false;
        try {
          life?.step('file.writeFile');
        } catch (error) {
          const [content] = args;
          // Killed in the middle of writing.
          if (!wasDead && typeof content === 'string') await original.call(this, content.slice(0, content.length / 2));
          throw error;
        }
        return original.apply(this, args);
      },
  );
  syncBuiltinESMExports();
  return {
    async [Symbol.asyncDispose]() {
      for (const restore of restores) restore();
      syncBuiltinESMExports();
    },
  };
}

function counted(name: string, original: Anything): Anything {
  return async function change(this: unknown, ...args: unknown[]) {
    lives.getStore()?.step(`${name} ${args.slice(0, 2).map(shortName).join(' ')}`);
    return original.apply(this, args);
  };
}

function shortName(path: unknown): string {
  return typeof path === 'string' ? path.split('/').slice(-2).join('/') : '';
}

async function handlePrototype(): Promise<Record<string, Anything>> {
  const handle: FileHandle = await fs.open('/dev/null', 'r');
  await handle.close();
  return Object.getPrototypeOf(handle) as Record<string, Anything>;
}
