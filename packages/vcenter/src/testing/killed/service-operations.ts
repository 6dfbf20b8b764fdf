// For tests: operations on licences, options, extensions and disabled methods.
import { type MoRef, make, moRef } from '@vivarium/vim';
import { change, isAbout, type Kind, kind, type Operation, put, without } from './operation.ts';
import { named, type Picture, type World } from './picture.ts';
import { DISABLED, EXTENSIONS, LABEL, LICENSES, type LicenceFacts, OPTIONS, SESSIONS } from './service-facts.ts';

const ASSIGNMENTS = moRef('LicenseAssignmentManager', 'LicenseAssignmentManager') as MoRef;
const AUTHORIZATION = moRef('AuthorizationManager', 'AuthorizationManager') as MoRef;
const SOURCE = 'test';

export const serviceOperations: readonly Kind[] = [
  kind('LicenseManager.AddLicense', ({ count }) => addLicence(`i${count}`)),
  kind('LicenseManager.UpdateLicenseLabel', ({ one, count }) => {
    const licence = one('licence');
    return licence === undefined ? undefined : labelLicence(licence, `note ${count}`, 'UpdateLicenseLabel');
  }),
  kind('LicenseManager.UpdateLicense', ({ one, count }) => {
    const licence = one('licence');
    return licence === undefined ? undefined : labelLicence(licence, `note ${count}`, 'UpdateLicense');
  }),
  kind('LicenseManager.RemoveLicenseLabel', ({ one }) => {
    const licence = one('licence');
    return licence === undefined ? undefined : labelLicence(licence, '', 'RemoveLicenseLabel');
  }),
  kind('LicenseManager.RemoveLicense', ({ one, fact }) => {
    const licence = one('licence');
    const isFree = licence !== undefined && !fact<LicenceFacts>(`licence ${licence}`).isUsed;
    return isFree ? removeLicence(licence) : undefined;
  }),
  kind('LicenseAssignmentManager.UpdateAssignedLicense', ({ one }) => {
    const licence = one('licence');
    return licence === undefined ? undefined : assign(licence);
  }),
  kind('LicenseAssignmentManager.RemoveAssignedLicense', () => unassign()),
  kind('OptionManager.UpdateOptions', ({ count, one, below }) =>
    setOption(below(2) === 0 ? `n${count}` : (one('option') ?? `n${count}`), `value ${count}`),
  ),
  kind('ExtensionManager.RegisterExtension', ({ count }) => extend(`e${count}`, '1', 'RegisterExtension')),
  kind('ExtensionManager.UpdateExtension', ({ count, one }) => {
    const extension = one('extension');
    return extension === undefined ? undefined : extend(extension, `${count}`, 'UpdateExtension');
  }),
  kind('ExtensionManager.UnregisterExtension', ({ one }) => {
    const extension = one('extension');
    return extension === undefined ? undefined : unregister(extension);
  }),
  kind('SessionManager.UpdateServiceMessage', ({ count }) => setMessage(`note ${count}`)),
  kind('AuthorizationManager.DisableMethods AuthorizationManager.EnableMethods', ({ one, picture }) => {
    const folder = one('folder');
    return folder === undefined ? undefined : setDisabled(folder, !picture[`disabled on ${folder}`]);
  }),
];

/** i12 → 00012-AAAAA-AAAAA-AAAAA-AAAAA. */
const keyOf = (licence: string) => `${licence.slice(1).padStart(5, '0')}-AAAAA-AAAAA-AAAAA-AAAAA`;

function addLicence(licence: string): Operation {
  return {
    text: `add licence ${licence}`,
    run: ({ center }) => center.invoke(LICENSES, 'AddLicense', { licenseKey: keyOf(licence) }),
    after: (before) => put(before, { [`licence ${licence}`]: { note: '', isUsed: false } }),
  };
}

/** `note`: '' takes it away. */
function labelLicence(licence: string, note: string, method: string): Operation {
  const licenseKey = keyOf(licence);
  const args =
    method === 'UpdateLicense'
      ? { licenseKey, labels: [make('KeyValue', { key: LABEL, value: note })] }
      : { licenseKey, labelKey: LABEL, ...(note === '' ? {} : { labelValue: note }) };
  return {
    text: `${method} of ${licence}`,
    run: ({ center }) => center.invoke(LICENSES, method, args),
    after: (before) => change(before, `licence ${licence}`, { note }),
  };
}

function removeLicence(licence: string): Operation {
  return {
    text: `remove licence ${licence}`,
    run: ({ center }) => center.invoke(LICENSES, 'RemoveLicense', { licenseKey: keyOf(licence) }),
    after: (before) => without(before, isAbout(licence)),
  };
}

const ownId = ({ center }: World) => center.service.content.about.instanceUuid ?? '';

function withoutUses(before: Picture): Picture {
  const licences = Object.keys(before).filter((key) => key.startsWith('licence '));
  return licences.reduce<Picture>((now, key) => change(now, key, { isUsed: false }), before);
}

function assign(licence: string): Operation {
  return {
    text: `assign licence ${licence} to vCenter`,
    run: (world) =>
      world.center.invoke(ASSIGNMENTS, 'UpdateAssignedLicense', { entity: ownId(world), licenseKey: keyOf(licence) }),
    after: (before) => change(withoutUses(before), `licence ${licence}`, { isUsed: true }),
  };
}

function unassign(): Operation {
  return {
    text: 'take the licence from vCenter',
    run: (world) => world.center.invoke(ASSIGNMENTS, 'RemoveAssignedLicense', { entityId: ownId(world) }),
    after: withoutUses,
  };
}

function setOption(option: string, value: string): Operation {
  const changedValue = [make('OptionValue', { key: `config.${option}`, value })];
  return {
    text: `set option ${option}`,
    run: ({ center }) => center.invoke(OPTIONS, 'UpdateOptions', { changedValue }),
    after: (before) => put(before, { [`option ${option}`]: value }),
  };
}

function extend(key: string, version: string, method: 'RegisterExtension' | 'UpdateExtension'): Operation {
  const description = make('Description', { label: key, summary: key });
  const lastHeartbeatTime = new Date(0).toISOString();
  const extension = make('Extension', { key, version, description, lastHeartbeatTime });
  return {
    text: `${method} of ${key}`,
    run: ({ center }) => center.invoke(EXTENSIONS, method, { extension }),
    after: (before) => put(before, { [`extension ${key}`]: version }),
  };
}

function unregister(extension: string): Operation {
  return {
    text: `unregister extension ${extension}`,
    run: ({ center }) => center.invoke(EXTENSIONS, 'UnregisterExtension', { extensionKey: extension }),
    after: (before) => without(before, isAbout(extension)),
  };
}

function setMessage(message: string): Operation {
  return {
    text: `tell everybody: ${message}`,
    run: ({ center }) => center.invoke(SESSIONS, 'UpdateServiceMessage', { message }),
    after: (before) => put(before, { message }),
  };
}

function setDisabled(folder: string, isDisabled: boolean): Operation {
  return {
    text: `${isDisabled ? 'disable' : 'enable'} a method of folder ${folder}`,
    run({ center }) {
      const entity = [named(center, 'Folder', folder)];
      if (!isDisabled)
        return center.invoke(AUTHORIZATION, 'EnableMethods', { entity, method: [DISABLED], sourceId: SOURCE });
      const method = [make('DisabledMethodRequest', { method: DISABLED, reasonId: SOURCE })];
      return center.invoke(AUTHORIZATION, 'DisableMethods', { entity, method, sourceId: SOURCE });
    },
    after: (before) =>
      isDisabled
        ? put(before, { [`disabled on ${folder}`]: true })
        : without(before, (key) => key === `disabled on ${folder}`),
  };
}
