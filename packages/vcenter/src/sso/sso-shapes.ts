// The structures of our own administration of the domain: vCenter has none below /api, its is a SOAP service behind SAML.
import { flag, id, integer, optional, secret, setOf, struct, text, time } from '../rest/shape.ts';

const USER = 'org.vivarium.sso.user';
const GROUP = 'org.vivarium.sso.group';

export const userId = id(USER);
export const groupId = id(GROUP);

const details = {
  first_name: optional(text),
  last_name: optional(text),
  email: optional(text),
  description: optional(text),
};

export const userSummary = struct(`${USER}.summary`, { user: userId, principal: text, full_name: text });

export const userInfo = struct(`${USER}.info`, {
  principal: text,
  first_name: text,
  last_name: text,
  email: text,
  description: text,
  disabled: flag,
  password_changed: time,
  groups: setOf(text),
});

export const userCreateSpec = struct(`${USER}.create_spec`, { name: text, password: secret, ...details });
export const userUpdateSpec = struct(`${USER}.update_spec`, { ...details, disabled: optional(flag) });

export const groupSummary = struct(`${GROUP}.summary`, { group: groupId, principal: text, description: text });
export const groupInfo = struct(`${GROUP}.info`, { principal: text, description: text, members: setOf(text) });
export const groupCreateSpec = struct(`${GROUP}.create_spec`, { name: text, description: optional(text) });

export const passwordPolicy = struct('org.vivarium.sso.password_policy', {
  min_length: integer,
  max_length: integer,
  min_alphabetic_count: integer,
  min_uppercase_count: integer,
  min_lowercase_count: integer,
  min_numeric_count: integer,
  min_special_char_count: integer,
  max_identical_adjacent_characters: integer,
  prohibited_previous_passwords_count: integer,
  /** Days; 0 = never. */
  password_lifetime_days: integer,
});

export const lockOutPolicy = struct('org.vivarium.sso.lock_out_policy', {
  /** In a row; 0 = never. */
  max_failed_attempts: integer,
  /** Seconds within which they count. */
  failed_attempt_interval_seconds: integer,
  unlock_after_seconds: integer,
});
