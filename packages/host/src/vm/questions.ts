// The questions that a VM asks the administrator, as runtime.question. Pure.
import { make, type VirtualMachineQuestionInfo } from '@vivarium/vim';

export type DiskAnswer = 'retry' | 'cancel';

const RETRY = '0';
const CANCEL = '1';

/** A disk could not be written to; the machine waits. `id` tells one question from the next. */
export function diskQuestion(id: string, noSpace: boolean, reason: string): VirtualMachineQuestionInfo {
  const key = noSpace ? 'msg.hbacommon.outofspace' : 'msg.hbacommon.askonpermanentdeviceloss';
  const text = noSpace
    ? 'There is no more space for the virtual disk. You may be able to continue this session by freeing disk space on the datastore, and clicking Retry. Click Cancel to terminate this session.'
    : `The virtual disk reported an error (${reason}). Click Retry to try the operation again, or Cancel to terminate this session.`;
  const choice = (value: string, label: string) => make('ElementDescription', { key: value, label, summary: label });
  return make('VirtualMachineQuestionInfo', {
    id,
    text: `${key}:${text}`,
    choice: make('ChoiceOption', {
      choiceInfo: [choice(RETRY, 'Retry'), choice(CANCEL, 'Cancel')],
      defaultIndex: 0,
    }),
    message: [make('VirtualMachineMessage', { id: key, text })],
  });
}

/** The words of a question, without the key that its text begins with. */
export function questionText(question: VirtualMachineQuestionInfo): string {
  return question.message?.[0]?.text ?? question.text;
}

/** What a client's answer means; `undefined` for a choice that was not offered. */
export function parseDiskAnswer(answerChoice: string): DiskAnswer | undefined {
  if (answerChoice === RETRY) return 'retry';
  return answerChoice === CANCEL ? 'cancel' : undefined;
}
