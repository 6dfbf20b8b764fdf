// An event's category and words, and EventManager.description. Pure.
import {
  type Event,
  type EventDescription,
  type EventDescriptionEventDetail,
  type EventEx,
  make,
  schema,
} from '@vivarium/vim';
import { EVENT_TEXTS, type EventCategory, type EventText, EXTENDED_EVENT_TEXTS } from './event-catalogue.ts';

const byType = new Map(EVENT_TEXTS.map((text) => [text.type, text]));
const byTypeId = new Map(EXTENDED_EVENT_TEXTS.map((text) => [text.type, text]));

const CATEGORY_LABELS: Readonly<Record<EventCategory, string>> = {
  info: 'Information',
  warning: 'Warning',
  error: 'Error',
  user: 'User',
};

const ON_HOST = / (on|from)( host)? \{host\.name\}/;
const IN_DATACENTER = / (in|from|to)( datacenter)? \{datacenter\.name\}/;
const IN_COMPUTE_RESOURCE = / (in compute-resource|in cluster|on) \{computeResource\.name\}/;

/** What stands for values of these placeholders. */
const LABELS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  propagate: { true: 'Enabled', false: 'Disabled' },
  prevPropagate: { true: 'Enabled', false: 'Disabled' },
  reason: { userRequest: 'User request' },
};

/** The text of an event's type or of the nearest type above it that has one. */
function textOf(event: Event): EventText | undefined {
  const typeId = (event as Partial<EventEx>).eventTypeId;
  const named = typeId === undefined ? undefined : byTypeId.get(typeId);
  if (named) return named;
  for (let type = event._typeName; type !== undefined && type !== 'Event'; type = schema.data(type)?.base) {
    const text = byType.get(type);
    if (text) return text;
  }
  return undefined;
}

export function eventCategory(event: Event): EventCategory {
  const severity = (event as Partial<EventEx>).severity;
  if (severity === 'info' || severity === 'warning' || severity === 'error' || severity === 'user') return severity;
  return textOf(event)?.category ?? 'info';
}

/** Event.fullFormattedMessage; an event's own `message` when its type has no text. */
export function formatEvent(event: Event): string {
  const text = textOf(event);
  if (text) return fillIn(text.format, event);
  const own = (event as { message?: unknown }).message;
  return typeof own === 'string' && own !== '' ? own : (event._typeName ?? 'Event');
}

/** Places that are not known leave no gap: ' on {host.name}' goes as a whole. */
function fillIn(format: string, event: Event): string {
  let known = event.host ? format : format.replace(ON_HOST, '');
  if (!event.datacenter) known = known.replace(IN_DATACENTER, '');
  if (!event.computeResource) known = known.replace(IN_COMPUTE_RESOURCE, '');
  return known.replaceAll(/\{([\w.]+)\}/g, (_, path: string) => {
    let value: unknown = event;
    for (const name of path.split('.')) {
      value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
    }
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return '';
    return LABELS[path]?.[String(value)] ?? String(value);
  });
}

/** EventManager.description: every type in the catalogue with its templates. */
export function eventDescription(): EventDescription {
  return make('EventDescription', {
    category: Object.entries(CATEGORY_LABELS).map(([key, label]) =>
      make('ElementDescription', { key, label, summary: label }),
    ),
    eventInfo: [
      ...EVENT_TEXTS.map((text) => eventDetail(text.type, text.format, text)),
      // Types named by id share one schema type; clients find the id before the bar.
      ...EXTENDED_EVENT_TEXTS.map((text) => eventDetail('EventEx', `${text.type}|${text.format}`, text)),
    ],
  });
}

function eventDetail(
  key: string,
  fullFormat: string,
  { category, description }: EventText,
): EventDescriptionEventDetail {
  const inDatacenter = fullFormat.replace(IN_DATACENTER, '');
  const onHost = inDatacenter.replace(ON_HOST, '');
  return make('EventDescriptionEventDetail', {
    key,
    description,
    category,
    fullFormat,
    formatOnDatacenter: inDatacenter,
    formatOnComputeResource: inDatacenter,
    formatOnHost: onHost,
    formatOnVm: inDatacenter.replace('{vm.name}', 'this virtual machine'),
  });
}
