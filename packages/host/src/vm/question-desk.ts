// The one question that a VM may have open, and its way out: an answer, or room on the datastore.
//
//            ask                    retry (answer, space returned)
//   nothing ─────▶ open question ───────────────────────────────────▶ nothing ──▶ (fails again) open question
//                      └── the machine runs again, or ends ──▶ nothing
import type { Clock } from '@vivarium/base';
import { MethodFault, type VirtualMachineQuestionInfo } from '@vivarium/vim';
import { type DiskAnswer, diskQuestion, parseDiskAnswer, questionText } from './questions.ts';

/** A question that comes back this soon after an attempt of our own is the same question: nobody is told of it twice. */
const SAME_QUESTION_MS = 60_000;

export interface QuestionDeskOptions {
  readonly clock: Clock;
  /** Begins the id of every question. */
  readonly name: string;
  /** A new question was asked. */
  readonly asked: (question: VirtualMachineQuestionInfo) => void;
  /** What is open has changed. */
  readonly changed: () => void;
}

interface OpenQuestion {
  readonly info: VirtualMachineQuestionInfo;
  readonly noSpace: boolean;
}

export class QuestionDesk {
  readonly #options: QuestionDeskOptions;
  #open: OpenQuestion | undefined;
  #retried: { readonly question: OpenQuestion; readonly atMs: number } | undefined;
  #lastAnswered: string | undefined;
  #count = 0;
  /** Grows when the machine ran on, or ended: a failure from before that reopens nothing. */
  #era = 0;

  constructor(options: QuestionDeskOptions) {
    this.#options = options;
  }

  get question(): VirtualMachineQuestionInfo | undefined {
    return this.#open?.info;
  }

  /** Whether it is room on a datastore that the machine waits for. */
  get waitsForSpace(): boolean {
    return this.#open?.noSpace ?? false;
  }

  /** The machine stopped because of a disk. */
  ask(noSpace: boolean, reason: string): void {
    if (this.#open) return;
    const { clock, asked, changed } = this.#options;
    const retried = this.#retried;
    this.#retried = undefined;
    if (retried?.question.noSpace === noSpace && clock.monotonic() - retried.atMs < SAME_QUESTION_MS) {
      this.#open = retried.question;
    } else {
      this.#count += 1;
      this.#open = { info: diskQuestion(`${this.#options.name}-${this.#count}`, noSpace, reason), noSpace };
      asked(this.#open.info);
    }
    changed();
  }

  /** Throws QuestionPending while a question is open: the guest cannot do anything now. */
  checkNothingAsked(): void {
    if (this.#open) throw new MethodFault('QuestionPending', { text: questionText(this.#open.info) });
  }

  /**
   * What an answer means. Throws ConcurrentAccess when somebody else has answered this question, InvalidArgument when it was
   * never asked or the choice was not offered.
   */
  parseAnswer(questionId: string, choice: string): DiskAnswer {
    if (this.question?.id !== questionId) {
      if (questionId === this.#lastAnswered) throw new MethodFault('ConcurrentAccess', {});
      throw new MethodFault('InvalidArgument', { invalidProperty: 'questionId' });
    }
    const answer = parseDiskAnswer(choice);
    if (!answer) throw new MethodFault('InvalidArgument', { invalidProperty: 'answerChoice' });
    return answer;
  }

  /** Lets the machine go on by `resume`. The question is open again when that fails. `by`: an answer, or ourselves. */
  async retry(resume: () => Promise<void>, by: 'answer' | 'host'): Promise<void> {
    const question = this.#open;
    if (!question) return;
    // Closed first: the machine may ask again before `resume` returns.
    this.#close(question, by);
    const era = this.#era;
    try {
      await resume();
    } catch (error) {
      if (!this.#open && era === this.#era) {
        this.#open = question;
        this.#options.changed();
      }
      throw error;
    }
  }

  /** The machine runs again, or is no more. `by` as in retry, when somebody chose that. */
  clear(by?: 'answer'): void {
    this.#era += 1;
    if (this.#open) this.#close(this.#open, by);
  }

  #close(question: OpenQuestion, by: 'answer' | 'host' | undefined): void {
    this.#open = undefined;
    if (by === 'answer') this.#lastAnswered = question.info.id;
    this.#retried = by === 'host' ? { question, atMs: this.#options.clock.monotonic() } : undefined;
    this.#options.changed();
  }
}
