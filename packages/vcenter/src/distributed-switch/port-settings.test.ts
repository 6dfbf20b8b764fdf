import assert from 'node:assert/strict';
import { test } from 'node:test';
import { make, type VMwareDVSPortSetting } from '@vivarium/vim';
import { changeSettings, defaultSettings, inheritSettings } from './port-settings.ts';

const UNSET = make('VMwareDVSPortSetting', {});

function shown({ securityPolicy, macManagementPolicy }: VMwareDVSPortSetting) {
  const { allowPromiscuous, macChanges, forgedTransmits } = macManagementPolicy ?? {};
  return {
    newer: [allowPromiscuous, macChanges, forgedTransmits],
    older: [securityPolicy?.allowPromiscuous, securityPolicy?.macChanges, securityPolicy?.forgedTransmits].map(
      (policy) => policy?.value,
    ),
  };
}

void test('security is shown under both of its names, whichever it was set by', () => {
  const above = defaultSettings(['left']);
  assert.deepEqual(shown(above), { newer: [false, false, false], older: [false, false, false] });
  const byNewer = changeSettings(
    UNSET,
    make('VMwareDVSPortSetting', {
      macManagementPolicy: make('DVSMacManagementPolicy', { inherited: false, forgedTransmits: true }),
    }),
  );
  const set = inheritSettings(byNewer, above);
  assert.deepEqual(shown(set), { newer: [false, false, true], older: [false, false, true] });
  const byOlder = changeSettings(
    byNewer,
    make('VMwareDVSPortSetting', {
      securityPolicy: make('DVSSecurityPolicy', {
        inherited: false,
        macChanges: make('BoolPolicy', { inherited: false, value: true }),
      }),
    }),
  );
  assert.deepEqual(shown(inheritSettings(byOlder, above)), { newer: [false, true, true], older: [false, true, true] });
});
