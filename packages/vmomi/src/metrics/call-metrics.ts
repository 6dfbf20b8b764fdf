// What the service has done since it began: calls by method, tasks by operation.
import type { Clock } from '@vivarium/base';
import { MethodFault, schema, type TaskInfo } from '@vivarium/vim';
import type { Family, Sample } from './exposition.ts';
import { Histogram } from './histogram.ts';

type Outcome = 'ok' | 'fault' | 'error';

interface MethodRecord {
  readonly durations: Histogram;
  readonly outcomes: Record<Outcome, number>;
}

interface OperationRecord {
  readonly durations: Histogram;
  success: number;
  error: number;
}

/** Whatever clients call that is no method: names of their making are no labels of ours. */
const UNKNOWN = 'unknown';

export class CallMetrics {
  readonly #clock: Clock;
  readonly #methods = new Map<string, MethodRecord>();
  readonly #operations = new Map<string, OperationRecord>();
  #underWay = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Runs one call of the API. `type` and `method` are the client's words. */
  async during<T>(type: string, method: string, call: () => Promise<T>): Promise<T> {
    const name = schema.method(type, method) ? method : UNKNOWN;
    const startMs = this.#clock.monotonic();
    this.#underWay += 1;
    let outcome: Outcome = 'error';
    try {
      const result = await call();
      outcome = 'ok';
      return result;
    } catch (error) {
      if (error instanceof MethodFault) outcome = 'fault';
      throw error;
    } finally {
      this.#underWay -= 1;
      const record = this.#method(name);
      record.outcomes[outcome] += 1;
      record.durations.add((this.#clock.monotonic() - startMs) / 1000);
    }
  }

  /** A task has started or ended. */
  noteTask({ descriptionId, state, startTime, queueTime, completeTime }: TaskInfo): void {
    if (state !== 'success' && state !== 'error') return;
    const known = this.#operations.get(descriptionId);
    const record = known ?? { durations: new Histogram(), success: 0, error: 0 };
    if (!known) this.#operations.set(descriptionId, record);
    record[state] += 1;
    const ms = Date.parse(completeTime ?? queueTime) - Date.parse(startTime ?? queueTime);
    record.durations.add(Math.max(0, ms) / 1000);
  }

  *families(): Generator<Family> {
    yield {
      name: 'vivarium_api_requests_total',
      help: 'Calls of API methods that have ended, by their outcome: ok, fault (an expected refusal) or error.',
      type: 'counter',
      samples: this.#outcomes(),
    };
    yield {
      name: 'vivarium_api_request_duration_seconds',
      help: 'How long calls of API methods took. Methods that wait for changes take as long as nothing happens.',
      type: 'histogram',
      samples: flat(this.#methods, ({ durations }, method) => durations.samples({ method })),
    };
    yield {
      name: 'vivarium_api_requests_in_flight',
      help: 'Calls of API methods that are under way.',
      type: 'gauge',
      samples: [{ value: this.#underWay }],
    };
    yield {
      name: 'vivarium_tasks_total',
      help: 'Tasks that have ended, by operation and state.',
      type: 'counter',
      samples: flat(this.#operations, ({ success, error }, operation) => [
        { labels: { operation, state: 'success' }, value: success },
        { labels: { operation, state: 'error' }, value: error },
      ]),
    };
    yield {
      name: 'vivarium_task_duration_seconds',
      help: 'How long tasks took from their start.',
      type: 'histogram',
      samples: flat(this.#operations, ({ durations }, operation) => durations.samples({ operation })),
    };
  }

  *#outcomes(): Generator<Sample> {
    for (const [method, { outcomes }] of this.#methods) {
      for (const [outcome, value] of Object.entries(outcomes)) yield { labels: { method, outcome }, value };
    }
  }

  #method(name: string): MethodRecord {
    const known = this.#methods.get(name);
    if (known) return known;
    const made = { durations: new Histogram(), outcomes: { ok: 0, fault: 0, error: 0 } };
    this.#methods.set(name, made);
    return made;
  }
}

function* flat<T>(
  records: ReadonlyMap<string, T>,
  samples: (record: T, key: string) => Iterable<Sample>,
): Generator<Sample> {
  for (const [key, record] of records) yield* samples(record, key);
}
