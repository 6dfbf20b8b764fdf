// TaskManager.description and what a descriptionId says. Pure.
import { make, schema, type TaskDescription } from '@vivarium/vim';
import { TASK_TEXTS, type TaskText, VMODL_NAMES } from './task-catalogue.ts';

const byId = new Map(TASK_TEXTS.map((text) => [text.descriptionId, text]));

/** Name and label of a kind of task; one outside the catalogue is labelled with its id. */
export function taskText(descriptionId: string): TaskText {
  return byId.get(descriptionId) ?? { descriptionId, method: '', label: descriptionId };
}

const byMethod = Map.groupBy(TASK_TEXTS, ({ method }) => method);

/** 'VirtualMachine' and 'PowerOnVM_Task' give 'VirtualMachine.powerOn'; a method outside the catalogue is its own id. */
export function descriptionIdOf(type: string, method: string): string {
  const candidates = byMethod.get(method) ?? [];
  for (let name: string | undefined = type; name !== undefined; name = schema.managed(name)?.base) {
    const prefix = `${vmodlName(name)}.`;
    const found = candidates.find(({ descriptionId }) => descriptionId.startsWith(prefix));
    if (found) return found.descriptionId;
  }
  return candidates[0]?.descriptionId ?? `${vmodlName(type)}.${method}`;
}

/** How ESXi writes the operation into a task's id: the vmodl name of the declaring type's method. */
export function taskOperation(descriptionId: string): string {
  const { method } = taskText(descriptionId);
  const owner = schema.declaredMethod(method)?.owner;
  const operation = descriptionId.slice(descriptionId.lastIndexOf('.') + 1);
  return owner === undefined ? descriptionId : `vim.${vmodlName(owner)}.${operation}`;
}

function vmodlName(type: string): string {
  return VMODL_NAMES[type] ?? type;
}

export function taskDescription(): TaskDescription {
  const element = (key: string, label: string) => make('ElementDescription', { key, label, summary: label });
  const reason = (key: string, label: string) => make('TypeDescription', { key, label, summary: label });
  return make('TaskDescription', {
    methodInfo: TASK_TEXTS.map(({ descriptionId, label }) => element(descriptionId, label)),
    state: [
      element('queued', 'Queued'),
      element('running', 'Running'),
      element('success', 'Completed'),
      element('error', 'Failed'),
    ],
    reason: [
      reason('TaskReasonUser', 'Started by a user'),
      reason('TaskReasonSystem', 'Started by the system'),
      reason('TaskReasonAlarm', 'Started by an alarm'),
      reason('TaskReasonSchedule', 'Started by a scheduled task'),
    ],
  });
}
