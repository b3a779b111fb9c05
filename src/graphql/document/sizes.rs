//! What the cost of an operation is computed from: the cost of a single field, and the lengths of introspection lists.

use apollo_compiler::{Schema, schema::ExtendedType};

/// Fields that take long or have a long value, and their cost. Others cost 1.
const HEAVY: [(&str, &str, u64); 4] = [
    ("DataExported", "data", 10_000),
    ("Query", "auditStatistics", 10_000),
    ("_Service", "sdl", 20_000),
    ("__Schema", "description", 500),
];

/// The cost of a field of a type, without its selections.
pub(super) fn own_cost(owner: &str, field: &str) -> u64 {
    HEAVY.iter().find(|(ty, name, _)| (*ty, *name) == (owner, field)).map_or(1, |(_, _, cost)| *cost)
}

/// Total and maximum length of one introspection list, such as `fields`, over all types of the schema.
#[derive(Clone, Copy, Default)]
struct Size {
    sum: u64,
    longest: u64,
}

impl Size {
    fn add(&mut self, length: usize) {
        self.sum = self.sum.saturating_add(length as u64);
        self.longest = self.longest.max(length as u64);
    }
}

#[derive(Default)]
pub(super) struct Sizes {
    types: u64,
    directives: u64,
    fields: Size,
    args: Size,
    inputs: Size,
    values: Size,
    objects: Size,
    interfaces: Size,
}

impl Sizes {
    pub(super) fn of(schema: &Schema) -> Self {
        let mut sizes = Self {
            types: schema.types.len() as u64,
            directives: schema.directive_definitions.len() as u64,
            ..Self::default()
        };
        for (name, kind) in &schema.types {
            let (fields, interfaces) = match kind {
                ExtendedType::Object(object) => (&object.fields, object.implements_interfaces.len()),
                ExtendedType::Interface(interface) => (&interface.fields, interface.implements_interfaces.len()),
                ExtendedType::InputObject(input) => {
                    sizes.inputs.add(input.fields.len());
                    continue;
                }
                ExtendedType::Enum(values) => {
                    sizes.values.add(values.values.len());
                    continue;
                }
                ExtendedType::Union(union) => {
                    sizes.objects.add(union.members.len());
                    continue;
                }
                ExtendedType::Scalar(_) => continue,
            };
            sizes.fields.add(fields.len());
            sizes.interfaces.add(interfaces);
            fields.values().for_each(|field| sizes.args.add(field.arguments.len()));
            if kind.is_interface() {
                sizes.objects.add(schema.types.keys().filter(|object| schema.is_subtype(name, object)).count());
            }
        }
        schema.directive_definitions.values().for_each(|directive| sizes.args.add(directive.arguments.len()));
        sizes
    }

    /// Returns the length of an introspection list, or `None` for other lists. Inside the list of all types, this is
    /// the average length over all types. Elsewhere, it is the maximum length of any type.
    pub(super) fn get(&self, parent: &str, field: &str, all_types: bool) -> Option<u64> {
        let size = match (parent, field) {
            ("__Schema", "types") => return Some(self.types),
            ("__Schema", "directives") => return Some(self.directives),
            ("__Type", "fields") => self.fields,
            ("__Field" | "__Directive", "args") if all_types => {
                return Some(self.args.sum.div_ceil(self.fields.sum.max(1)));
            }
            ("__Field" | "__Directive", "args") => self.args,
            ("__Type", "inputFields") => self.inputs,
            ("__Type", "enumValues") => self.values,
            ("__Type", "possibleTypes") => self.objects,
            ("__Type", "interfaces") => self.interfaces,
            _ => return None,
        };
        Some(if all_types { size.sum.div_ceil(self.types.max(1)) } else { size.longest })
    }
}
