// The managed object CustomFieldsManager, and what it gives to every entity: customValue, value, availableField, setCustomValue.
import { MethodFault, type MoRef, make, schema } from '@vivarium/vim';
import type { Call } from '../call.ts';
import type { ManagedObject } from '../graph/managed-object.ts';
import type { Service } from '../service.ts';
import { CustomFields } from './custom-fields.ts';

export function addCustomFieldsManager(service: Service, ref: MoRef<'CustomFieldsManager'>): CustomFields {
  const { graph, events } = service;
  const fields = new CustomFields(service.store, graph, () => ref);

  const manager = graph.add<'CustomFieldsManager'>(
    ref,
    { field: fields.list() },
    {
      async AddCustomFieldDef({ name, moType, fieldDefPolicy, fieldPolicy }, call) {
        const definition = await fields.define({
          name,
          ...(moType && { managedObjectType: moType }),
          ...(fieldDefPolicy && { fieldDefPrivileges: fieldDefPolicy }),
          ...(fieldPolicy && { fieldInstancePrivileges: fieldPolicy }),
        });
        showDefinitions();
        events.post({ _typeName: 'CustomFieldDefAddedEvent', fieldKey: definition.key, name }, call);
        return definition;
      },
      async RenameCustomFieldDef({ key, name }, call) {
        const former = await fields.rename(key, name);
        showDefinitions();
        events.post({ _typeName: 'CustomFieldDefRenamedEvent', fieldKey: key, name: former.name, newName: name }, call);
      },
      async RemoveCustomFieldDef({ key }, call) {
        const { name } = fields.definition(key);
        const holders = new Set(await fields.remove(key));
        showDefinitions();
        for (const object of graph.all()) if (holders.has(`${object.ref.type}:${object.ref.value}`)) showValues(object);
        events.post({ _typeName: 'CustomFieldDefRemovedEvent', fieldKey: key, name }, call);
      },
      SetField: ({ entity, key, value }, call) => setValue(graph.get(entity) as ManagedObject, key, value, call),
    },
  );

  graph.provide('ManagedEntity', {
    methods: {
      setCustomValue(object, { key: name, value }, call) {
        const definition = fields.availableFor(object.ref.type).find((one) => one.name === name);
        if (!definition) throw new MethodFault('InvalidArgument', { invalidProperty: 'key' });
        return setValue(object as ManagedObject, definition.key, value, call);
      },
    },
  });
  for (const object of graph.all()) adorn(object);
  graph.onAdd(adorn);
  return fields;

  function adorn(object: ManagedObject): void {
    if (!schema.isSubtype(object.ref.type, 'ManagedEntity')) return;
    showValues(object);
    object.set('availableField', fields.availableFor(object.ref.type));
  }

  async function setValue(object: ManagedObject, key: number, value: string, call: Call): Promise<void> {
    const prevState = fields.valuesOf(object.ref).find((one) => one.key === key)?.value;
    const { name } = await fields.set(object.ref, key, value);
    showValues(object);
    const entity = make('ManagedEntityEventArgument', {
      name: String(object.getPath('name') ?? ''),
      entity: object.ref as MoRef<'ManagedEntity'>,
    });
    events.post(
      {
        _typeName: 'CustomFieldValueChangedEvent',
        entity,
        fieldKey: key,
        name,
        value,
        ...(prevState && { prevState }),
      },
      call,
    );
  }

  function showValues(object: ManagedObject): void {
    const values = fields.valuesOf(object.ref);
    object.update({ customValue: values, value: values });
  }

  function showDefinitions(): void {
    manager.set('field', fields.list());
    for (const object of graph.all()) {
      if (schema.isSubtype(object.ref.type, 'ManagedEntity')) {
        object.set('availableField', fields.availableFor(object.ref.type));
      }
    }
  }
}
