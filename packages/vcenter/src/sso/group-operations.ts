// org.vivarium.sso.group and the domain's policies.
import { type Operation, operation } from '../rest/operation.ts';
import { listOf, text } from '../rest/shape.ts';
import type { PasswordPolicy } from './password-policy.ts';
import { requireSsoAdministrator } from './sso-access.ts';
import type { SsoDomain } from './sso-domain.ts';
import { groupCreateSpec, groupId, groupInfo, groupSummary, lockOutPolicy, passwordPolicy } from './sso-shapes.ts';

const service = 'org.vivarium.sso.group';
const PATH = '/vivarium/sso/group';
const ONE = `${PATH}/{group}`;
const PASSWORD_POLICY = '/vivarium/sso/password-policy';
const LOCK_OUT_POLICY = '/vivarium/sso/lock-out-policy';

/** Our name, the API's name. */
const PASSWORD_FIELDS = [
  ['minLength', 'min_length'],
  ['maxLength', 'max_length'],
  ['minAlphabeticCount', 'min_alphabetic_count'],
  ['minUppercaseCount', 'min_uppercase_count'],
  ['minLowercaseCount', 'min_lowercase_count'],
  ['minNumericCount', 'min_numeric_count'],
  ['minSpecialCharCount', 'min_special_char_count'],
  ['maxIdenticalAdjacentCharacters', 'max_identical_adjacent_characters'],
  ['prohibitedPreviousPasswordsCount', 'prohibited_previous_passwords_count'],
  ['passwordLifetimeDays', 'password_lifetime_days'],
] as const satisfies readonly (readonly [keyof PasswordPolicy, string])[];

export function ssoGroupOperations(domain: SsoDomain): Operation[] {
  const changeMember = (
    name: 'add_member' | 'remove_member',
    summary: string,
    change: (group: string, member: string) => Promise<void>,
  ) =>
    operation({
      service,
      name,
      summary,
      params: { group: groupId, member: text },
      errors: ['already_exists', 'invalid_argument', 'not_found', 'unauthorized'],
      doors: { api: { method: 'POST', path: ONE, action: name.replace('_', '-') } },
      async run({ group, member }, { call }) {
        requireSsoAdministrator(domain, call);
        await change(group, member);
      },
    });
  const bareName = (principal: string) => principal.slice(principal.indexOf('\\') + 1);

  return [
    operation({
      service,
      name: 'list',
      summary: 'Lists the groups of the domain.',
      result: listOf(groupSummary),
      errors: ['unauthorized'],
      doors: { api: { method: 'GET', path: PATH } },
      run(_args, { call }) {
        requireSsoAdministrator(domain, call);
        const groups = domain.listGroups();
        return groups.map(({ groupName, description }) => ({
          group: bareName(groupName),
          principal: groupName,
          description,
        }));
      },
    }),
    operation({
      service,
      name: 'get',
      summary: 'Tells about a group and its own members.',
      params: { group: groupId },
      result: groupInfo,
      errors: ['not_found', 'unauthorized'],
      doors: { api: { method: 'GET', path: ONE } },
      run({ group }, { call }) {
        requireSsoAdministrator(domain, call);
        const { groupName, description, members } = domain.group(group);
        return { principal: groupName, description, members };
      },
    }),
    operation({
      service,
      name: 'create',
      summary: 'Creates a group.',
      params: { spec: groupCreateSpec },
      result: groupId,
      errors: ['already_exists', 'invalid_argument', 'unauthorized'],
      doors: { api: { method: 'POST', path: PATH, body: 'spec' } },
      creates: true,
      async run({ spec: { name, description } }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.addGroup(name, description);
        return bareName(domain.group(name).groupName);
      },
    }),
    operation({
      service,
      name: 'update',
      summary: 'Changes the description of a group.',
      params: { group: groupId, description: text },
      errors: ['invalid_argument', 'not_found', 'unauthorized'],
      doors: { api: { method: 'PATCH', path: ONE } },
      async run({ group, description }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.updateGroup(group, description);
      },
    }),
    operation({
      service,
      name: 'delete',
      summary: 'Deletes a group, with its permissions.',
      params: { group: groupId },
      errors: ['invalid_argument', 'not_found', 'unauthorized'],
      doors: { api: { method: 'DELETE', path: ONE } },
      async run({ group }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.removeGroup(group);
      },
    }),
    changeMember('add_member', 'Adds a user or a group to a group.', (group, member) =>
      domain.addMember(group, member),
    ),
    changeMember('remove_member', 'Takes a member out of a group.', (group, member) =>
      domain.removeMember(group, member),
    ),
    ...policyOperations(domain),
  ];
}

function policyOperations(domain: SsoDomain): Operation[] {
  return [
    operation({
      service: 'org.vivarium.sso.password_policy',
      name: 'get',
      summary: 'Tells what passwords have to be.',
      result: passwordPolicy,
      errors: ['unauthorized'],
      doors: { api: { method: 'GET', path: PASSWORD_POLICY } },
      run(_args, { call }) {
        requireSsoAdministrator(domain, call);
        const policy = domain.passwordPolicy();
        return Object.fromEntries(PASSWORD_FIELDS.map(([own, shown]) => [shown, policy[own]])) as Record<
          (typeof PASSWORD_FIELDS)[number][1],
          number
        >;
      },
    }),
    operation({
      service: 'org.vivarium.sso.password_policy',
      name: 'set',
      summary: 'Sets what passwords have to be from now on.',
      params: { policy: passwordPolicy },
      errors: ['invalid_argument', 'unauthorized'],
      doors: { api: { method: 'PUT', path: PASSWORD_POLICY, body: 'policy' } },
      async run({ policy }, { call }) {
        requireSsoAdministrator(domain, call);
        const fields = PASSWORD_FIELDS.map(([own, shown]) => [own, policy[shown]]);
        await domain.setPasswordPolicy(Object.fromEntries(fields) as PasswordPolicy);
      },
    }),
    operation({
      service: 'org.vivarium.sso.lock_out_policy',
      name: 'get',
      summary: 'Tells when failed logins lock an account.',
      result: lockOutPolicy,
      errors: ['unauthorized'],
      doors: { api: { method: 'GET', path: LOCK_OUT_POLICY } },
      run(_args, { call }) {
        requireSsoAdministrator(domain, call);
        const { failures, unlockAfterSeconds, withinSeconds = unlockAfterSeconds } = domain.lockOutPolicy();
        return {
          max_failed_attempts: failures,
          failed_attempt_interval_seconds: withinSeconds,
          unlock_after_seconds: unlockAfterSeconds,
        };
      },
    }),
    operation({
      service: 'org.vivarium.sso.lock_out_policy',
      name: 'set',
      summary: 'Sets when failed logins lock an account.',
      params: { policy: lockOutPolicy },
      errors: ['invalid_argument', 'unauthorized'],
      doors: { api: { method: 'PUT', path: LOCK_OUT_POLICY, body: 'policy' } },
      async run({ policy }, { call }) {
        requireSsoAdministrator(domain, call);
        await domain.setLockOutPolicy({
          failures: policy.max_failed_attempts,
          withinSeconds: policy.failed_attempt_interval_seconds,
          unlockAfterSeconds: policy.unlock_after_seconds,
        });
      },
    }),
  ];
}
