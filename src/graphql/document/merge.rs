//! Builds the operation that the library executes: expands fragments, evaluates `@skip` and `@include`, replaces
//! variables, and merges fields with the same response key, so that no field runs twice. This module also computes the
//! cost of the operation.
//!
//! A field costs 1, plus 1 for every 64 bytes of its response key and arguments. Each value in an argument counts as 8
//! more bytes. A list costs 40, plus the cost of one item times the length of the list. That length is:
//!
//! - for a page, its `first` or `last`;
//! - for a lookup by a list of keys, the length of that list;
//! - for an introspection list, its length in the schema;
//! - for any other list, 20.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Name, Node,
    ast::{self, DirectiveList, FieldDefinition, OperationType as Kind},
    collections::IndexMap,
    executable::{Field, Operation as Definition, Selection, SelectionSet},
    schema::ExtendedType,
};
use async_graphql::{
    Name as LibraryName, Pos, Positioned, Value,
    parser::types::{
        Directive as LibraryDirective, DocumentOperations, ExecutableDocument, Field as LibraryField, InlineFragment,
        OperationDefinition, OperationType, Selection as LibrarySelection, SelectionSet as LibrarySet, TypeCondition,
    },
};

use super::{
    Document, Documents, Operation, Refused,
    input::{self, Variables},
    memory::MemoryBudget,
    sizes,
};

/// Maximum depth of fields.
const DEPTH: usize = 15;
/// Maximum number of fields after merging. A field on an interface or union can count once for each possible type.
const FIELDS: usize = 2_000;
/// Maximum number of selections visited while merging.
const STEPS: usize = 20_000;
/// Cost of fetching a list of any length.
const LIST: u64 = 40;
/// Assumed length of a list without pages, and of a page without `first` or `last`.
const LENGTH: u64 = 20;
/// Maximum length of a page.
const PAGE: u64 = 100;
/// Maximum cost of a subscription. It is low, because a subscription is charged once but resolved for every event.
const SUBSCRIPTION_COST: u64 = 200;

/// Merges an operation and computes its cost.
pub(super) fn merge(
    documents: &Documents,
    document: &Document,
    definition: &Definition,
    variables: &Variables,
) -> Result<(ExecutableDocument, Operation), Refused> {
    let kind = definition.operation_type;
    let mut merge = Merge {
        documents,
        document,
        variables,
        kind,
        fields: 0,
        steps: 0,
        memory: documents.memory(definition),
        introspects: false,
        roots: Vec::new(),
    };
    let root = &definition.selection_set;
    let (selection_set, cost) = merge.set(&root.ty, &[root], 1, Within::default())?;
    if kind == Kind::Subscription && cost > SUBSCRIPTION_COST {
        let message = format!("This subscription costs {cost} (maximum {SUBSCRIPTION_COST}). Select fewer fields.");
        return Err(Refused::too_large(message));
    }
    let ty = match kind {
        Kind::Query => OperationType::Query,
        Kind::Mutation => OperationType::Mutation,
        Kind::Subscription => OperationType::Subscription,
    };
    let Merge { introspects, roots, .. } = merge;
    let name = definition.name.as_ref().map(ToString::to_string);
    let operation = Operation { name, kind: ty, roots, introspects, cost };
    let definition =
        OperationDefinition { ty, variable_definitions: Vec::new(), directives: Vec::new(), selection_set };
    let operations = DocumentOperations::Single(Positioned::new(definition, Pos::default()));
    Ok((ExecutableDocument { operations, fragments: HashMap::new() }, operation))
}

/// Where a selection set is. The length of the lists in the set depends on this.
#[derive(Clone, Copy, Default)]
struct Within {
    /// The length of the page, if the set is directly inside a connection.
    page: Option<u64>,
    /// Whether the set is inside the introspection list of all types.
    all_types: bool,
}

type Arguments = Vec<(LibraryName, Value)>;
type Fields<'a> = IndexMap<&'a Name, Vec<&'a Node<Field>>>;

struct Merge<'a> {
    documents: &'a Documents,
    document: &'a Document,
    variables: &'a Variables,
    kind: Kind,
    fields: usize,
    steps: usize,
    /// The memory that is left for arguments.
    memory: MemoryBudget,
    introspects: bool,
    roots: Vec<String>,
}

impl<'a> Merge<'a> {
    /// Merges selection sets on a type. Returns the selections and their cost for one object.
    fn set(
        &mut self,
        ty: &Name,
        sets: &[&'a SelectionSet],
        depth: usize,
        within: Within,
    ) -> Result<(Positioned<LibrarySet>, u64), Refused> {
        if depth > DEPTH {
            return Err(Refused::too_large(format!("Fields can nest at most {DEPTH} levels deep.")));
        }
        let (items, cost) = match self.documents.possible.get(ty) {
            None => {
                let fields = self.collect_all(ty, sets)?;
                self.items(ty, &fields, depth, within)?
            }
            Some(types) => {
                let mut collected = Vec::with_capacity(types.len());
                for ty in types {
                    collected.push((ty, self.collect_all(ty, sets)?));
                }
                match collected.first() {
                    // The fields of an interface can be selected without a type condition. A union has no fields.
                    Some((ty, fields)) if self.is_interface(&sets[0].ty) && all_same(&collected) => {
                        self.items(ty, fields, depth, within)?
                    }
                    _ => self.items_by_type(&collected, depth, within)?,
                }
            }
        };
        Ok((Positioned::new(LibrarySet { items }, Pos::default()), cost))
    }

    fn is_interface(&self, ty: &Name) -> bool {
        self.documents.schema.types.get(ty).is_some_and(ExtendedType::is_interface)
    }

    /// Merges the selections of each possible type. The cost is that of the most expensive type.
    fn items_by_type(
        &mut self,
        collected: &[(&Name, Fields<'a>)],
        depth: usize,
        within: Within,
    ) -> Result<(Vec<Positioned<LibrarySelection>>, u64), Refused> {
        let (mut all, mut most) = (Vec::new(), 0);
        for (ty, fields) in collected.iter().filter(|(_, fields)| !fields.is_empty()) {
            let (items, cost) = self.items(ty, fields, depth, within)?;
            let on = Positioned::new(LibraryName::new(ty.as_str()), Pos::default());
            let fragment = InlineFragment {
                type_condition: Some(Positioned::new(TypeCondition { on }, Pos::default())),
                directives: Vec::new(),
                selection_set: Positioned::new(LibrarySet { items }, Pos::default()),
            };
            let fragment = Positioned::new(fragment, Pos::default());
            all.push(Positioned::new(LibrarySelection::InlineFragment(fragment), Pos::default()));
            most = most.max(cost);
        }
        Ok((all, most))
    }

    fn items(
        &mut self,
        owner: &Name,
        fields: &Fields<'a>,
        depth: usize,
        within: Within,
    ) -> Result<(Vec<Positioned<LibrarySelection>>, u64), Refused> {
        let (mut items, mut total) = (Vec::with_capacity(fields.len()), 0_u64);
        for same in fields.values() {
            let (field, cost) = self.field(owner, same, depth, within)?;
            total = total.saturating_add(cost);
            items.push(Positioned::new(LibrarySelection::Field(field), Pos::default()));
        }
        Ok((items, total))
    }

    /// Merges all fields with the same response key.
    fn field(
        &mut self,
        owner: &Name,
        same: &[&'a Node<Field>],
        depth: usize,
        within: Within,
    ) -> Result<(Positioned<LibraryField>, u64), Refused> {
        self.fields = self.fields.saturating_add(1);
        if self.fields > FIELDS {
            return Err(Refused::too_large(format!("An operation can have at most {FIELDS} fields after merging.")));
        }
        let [field, ..] = same else { return Err(Refused::invalid("A field is missing.")) };
        let pos = field.location().map_or(Pos::default(), |at| self.document.position(at.offset()));
        let at = |name: &Name| Positioned::new(LibraryName::new(name.as_str()), pos);
        if depth == 1 {
            self.roots.push(field.name.to_string());
        }
        self.introspects |= matches!(field.name.as_str(), "__schema" | "__type");
        let mut bytes = field.response_key().len();
        let arguments = self.arguments(&field.arguments, &mut bytes)?;
        let mut directives = Vec::new();
        for field in same {
            self.directives(&field.directives, pos, &mut bytes, &mut directives)?;
        }
        let (own, length, inner) = self.measure(owner, &field.definition, &arguments, within)?;
        let sets: Vec<_> = same.iter().map(|field| &field.selection_set).collect();
        let is_leaf = field.selection_set.selections.is_empty();
        let (selection_set, children) = if is_leaf {
            (Positioned::default(), u64::from(length > 1))
        } else {
            self.set(field.ty().inner_named_type(), &sets, depth.saturating_add(1), inner)?
        };
        let cost = own.saturating_add(bytes as u64 / 64).saturating_add(length.saturating_mul(children));
        let field = LibraryField {
            alias: field.alias.as_ref().map(at),
            name: at(&field.name),
            arguments: placed(arguments, pos),
            directives,
            selection_set,
        };
        Ok((Positioned::new(field, pos), cost))
    }
}

impl<'a> Merge<'a> {
    /// Returns the cost of a field without its selections, the length of its list (1 for other fields), and where its
    /// selections are.
    fn measure(
        &self,
        owner: &Name,
        field: &FieldDefinition,
        arguments: &Arguments,
        within: Within,
    ) -> Result<(u64, u64, Within), Refused> {
        let own = sizes::own_cost(owner, &field.name);
        if let Some(length) = self.documents.sizes.get(owner, &field.name, within.all_types) {
            let all_types = within.all_types || (owner == "__Schema" && field.name == "types");
            return Ok((own, length, Within { page: None, all_types }));
        }
        if ["first", "last"].iter().all(|name| field.argument_by_name(name).is_some()) {
            if self.kind == Kind::Subscription {
                return Err(Refused::too_large(
                    "A subscription cannot select pages. Query them when an event arrives.",
                ));
            }
            let page = number(arguments, "first").or_else(|| number(arguments, "last")).unwrap_or(LENGTH);
            return Ok((own.saturating_add(LIST), 1, Within { page: Some(page.clamp(1, PAGE)), all_types: false }));
        }
        if !field.ty.is_list() {
            return Ok((own, 1, Within::default()));
        }
        if let Some(page) = within.page {
            return Ok((own, page, Within::default()));
        }
        let keys = arguments.iter().find_map(|(_, value)| match value {
            Value::List(keys) => Some(keys.len() as u64),
            _ => None,
        });
        Ok((own.saturating_add(LIST), keys.unwrap_or(LENGTH), Within::default()))
    }

    /// Collects the directives that the library executes. `@skip` and `@include` have already been evaluated.
    fn directives(
        &mut self,
        list: &DirectiveList,
        pos: Pos,
        bytes: &mut usize,
        all: &mut Vec<Positioned<LibraryDirective>>,
    ) -> Result<(), Refused> {
        for directive in list.iter().filter(|directive| !matches!(directive.name.as_str(), "skip" | "include")) {
            let arguments = placed(self.arguments(&directive.arguments, bytes)?, pos);
            let name = Positioned::new(LibraryName::new(directive.name.as_str()), pos);
            all.push(Positioned::new(LibraryDirective { name, arguments }, pos));
        }
        Ok(())
    }

    fn arguments(&mut self, list: &[Node<ast::Argument>], bytes: &mut usize) -> Result<Arguments, Refused> {
        let mut arguments = Arguments::with_capacity(list.len());
        for argument in list {
            if let Some(value) = input::literal(&argument.value, self.variables, &mut self.memory)? {
                *bytes = bytes.saturating_add(weight(&value));
                arguments.push((LibraryName::new(argument.name.as_str()), value));
            }
        }
        Ok(arguments)
    }

    /// Returns the selected fields of an object type, by response key.
    fn collect_all(&mut self, ty: &Name, sets: &[&'a SelectionSet]) -> Result<Fields<'a>, Refused> {
        let (mut fields, mut spread) = (Fields::default(), HashSet::new());
        for set in sets {
            self.collect(ty, set, &mut fields, &mut spread)?;
        }
        Ok(fields)
    }

    fn collect(
        &mut self,
        ty: &Name,
        set: &'a SelectionSet,
        fields: &mut Fields<'a>,
        spread: &mut HashSet<&'a Name>,
    ) -> Result<(), Refused> {
        for selection in &set.selections {
            self.steps = self.steps.saturating_add(1);
            if self.steps > STEPS {
                return Err(Refused::too_large("The selections of this operation take too long to merge."));
            }
            if self.is_left_out(selection.directives()) {
                continue;
            }
            let inner = match selection {
                Selection::Field(field) => {
                    fields.entry(field.response_key()).or_default().push(field);
                    continue;
                }
                Selection::InlineFragment(inline) => &inline.selection_set,
                Selection::FragmentSpread(fragment) => {
                    let definition = self.document.valid.fragments.get(&fragment.fragment_name);
                    let Some(definition) = definition.filter(|_| spread.insert(&fragment.fragment_name)) else {
                        continue;
                    };
                    &definition.selection_set
                }
            };
            if inner.ty == *ty || self.documents.schema.is_subtype(&inner.ty, ty) {
                self.collect(ty, inner, fields, spread)?;
            }
        }
        Ok(())
    }

    fn is_left_out(&self, directives: &DirectiveList) -> bool {
        let says = |name: &str, wanted: bool| {
            directives
                .get(name)
                .and_then(|directive| directive.specified_argument_by_name("if"))
                .is_some_and(|value| input::condition(value, self.variables) == Some(wanted))
        };
        says("skip", true) || says("include", false)
    }
}

/// Adds a position to arguments, for the library's errors.
fn placed<V>(arguments: Arguments, pos: Pos) -> Vec<(Positioned<LibraryName>, Positioned<V>)>
where
    V: From<Value>,
{
    let place = |(name, value): (LibraryName, Value)| (Positioned::new(name, pos), Positioned::new(value.into(), pos));
    arguments.into_iter().map(place).collect()
}

/// Whether all types have the same selected fields.
fn all_same(collected: &[(&Name, Fields<'_>)]) -> bool {
    let same = |one: &Fields<'_>, other: &Fields<'_>| {
        let mut pairs = one.iter().zip(other);
        one.len() == other.len()
            && pairs.all(|((_, one), (_, other))| {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.ptr_eq(other))
            })
    };
    collected.windows(2).all(|pair| same(&pair[0].1, &pair[1].1))
}

fn number(arguments: &Arguments, name: &str) -> Option<u64> {
    let (_, value) = arguments.iter().find(|(argument, _)| argument == name)?;
    match value {
        Value::Number(number) => Some(number.as_u64().unwrap_or_default()),
        _ => None,
    }
}

/// Returns how many bytes a value adds to the cost: the length of its text, plus 8 for each value in it. This is not
/// its memory, which [`MemoryBudget`] counts.
fn weight(value: &Value) -> usize {
    let own = match value {
        Value::String(text) => text.len(),
        Value::List(items) => items.iter().map(weight).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len().saturating_add(weight(value))).sum(),
        _ => 0,
    };
    own.saturating_add(8)
}
