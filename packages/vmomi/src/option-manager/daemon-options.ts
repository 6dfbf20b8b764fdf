// The options that vmomi itself obeys, under ESXi's names (HostAgentSettings and the advanced settings of a host).
import type { Personality } from '../service-instance/well-known.ts';
import type { SessionPolicy } from '../session/session-registry.ts';
import type { OptionDefinition } from './option-definition.ts';
import type { Settings } from './settings.ts';

const SESSION_TIMEOUT = 'Config.HostAgent.vmacore.soap.sessionTimeout';
const SESSION_COUNT = 'Config.HostAgent.vmacore.soap.maxSessionCount';
const LOCK_FAILURES = 'Security.AccountLockFailures';
const UNLOCK_TIME = 'Security.AccountUnlockTime';

/** vCenter serves the clients of many hosts. */
const MOST_SESSIONS = { HostAgent: 500, VirtualCenter: 2000 } as const satisfies Record<Personality, number>;

export function daemonOptions(personality: Personality): readonly OptionDefinition[] {
  return [
    {
      key: SESSION_COUNT,
      label: 'Most sessions',
      summary: 'How many sessions may be open at once.',
      kind: 'int',
      defaultValue: MOST_SESSIONS[personality],
      min: 1,
      max: 5000,
    },
    ...COMMON_OPTIONS,
  ];
}

const COMMON_OPTIONS: readonly OptionDefinition[] = [
  {
    key: SESSION_TIMEOUT,
    label: 'Session timeout',
    summary: 'Minutes without a call after which a session ends; 0 keeps sessions for ever.',
    kind: 'int',
    defaultValue: 30,
    min: 0,
    max: 24 * 60,
  },
  {
    key: LOCK_FAILURES,
    label: 'Failed logins that lock an account',
    summary: 'Failed logins in a row after which an account is locked; 0 never locks.',
    kind: 'int',
    defaultValue: 5,
    min: 0,
    max: 100,
  },
  {
    key: UNLOCK_TIME,
    label: 'Account unlock time',
    summary: 'Seconds for which a locked account stays locked.',
    kind: 'int',
    defaultValue: 900,
    min: 0,
    max: 3600,
  },
  {
    key: 'Annotations.WelcomeMessage',
    label: 'Welcome message',
    summary: 'Text shown before the login.',
    kind: 'string',
    defaultValue: '',
  },
];

export function sessionPolicy(settings: Settings): SessionPolicy {
  return {
    idleTimeoutSeconds: settings.number(SESSION_TIMEOUT) * 60,
    mostSessions: settings.number(SESSION_COUNT),
    lockFailures: settings.number(LOCK_FAILURES),
    unlockAfterSeconds: settings.number(UNLOCK_TIME),
  };
}
