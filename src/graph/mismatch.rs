use std::collections::BTreeMap;
use std::fmt;

use super::Parameter;

/// Tensors by name, with the shape that PyTorch stores.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// Where named tensors differ from those that a graph needs; in the order of the graph, then of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    pub missing: Vec<String>,
    pub unexpected: Vec<String>,
    /// `name: [found] for [expected]`
    pub misshapen: Vec<String>,
}

impl Mismatch {
    pub fn between(parameters: &[Parameter], shapes: &Shapes) -> Self {
        let mut mismatch = Self::default();
        let mut rest: BTreeMap<&String, &Vec<usize>> = shapes.iter().collect();
        for Parameter { name, shape, .. } in parameters {
            match rest.remove(name) {
                None => mismatch.missing.push(name.clone()),
                Some(found) if found != shape => mismatch.misshapen.push(format!("{name}: {found:?} for {shape:?}")),
                Some(_) => {}
            }
        }
        mismatch.unexpected = rest.into_keys().cloned().collect();
        mismatch
    }

    /// [`count`](Self::count) of [`between`](Self::between) without the lists: a file may have very many names.
    pub fn count_between(parameters: &[Parameter], shapes: &Shapes) -> usize {
        let found = parameters.iter().filter_map(|parameter| Some((parameter, shapes.get(&parameter.name)?)));
        let (known, fitting) = found.fold((0, 0), |(known, fitting), (parameter, shape)| {
            (known + 1, fitting + usize::from(*shape == parameter.shape))
        });
        parameters.len() - fitting + shapes.len() - known
    }

    /// How many tensors differ; 0 is a fit.
    pub fn count(&self) -> usize {
        self.missing.len() + self.unexpected.len() + self.misshapen.len()
    }
}

/// For example `2 missing (fc.weight, fc.bias); 1 of another shape (conv1.weight: [64, 3, 3, 3] for [64, 3, 7, 7])`.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { missing, unexpected, misshapen } = self;
        let lists = [("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen)];
        let parts = lists.into_iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| match names.len() {
            count @ 1..=3 => format!("{count} {what} ({})", names.join(", ")),
            count => format!("{count} {what} ({}, ..)", names[..3].join(", ")),
        });
        f.write_str(&parts.collect::<Vec<_>>().join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_differs() {
        let parameter =
            |name: &str, shape: &[usize]| Parameter { name: name.into(), shape: shape.into(), trainable: true };
        let needed = [parameter("w", &[2]), parameter("b", &[2])];
        let shapes =
            |list: &[(&str, &[usize])]| list.iter().map(|(name, shape)| (name.to_string(), shape.to_vec())).collect();
        let fit = Mismatch::between(&needed, &shapes(&[("b", &[2]), ("w", &[2])]));
        assert_eq!((fit.count(), fit), (0, Mismatch::default()));
        let found = Mismatch::between(&needed, &shapes(&[("w", &[1, 2]), ("x", &[2])]));
        assert_eq!(found.count(), 3);
        assert_eq!(Mismatch::count_between(&needed, &shapes(&[("w", &[1, 2]), ("x", &[2])])), 3);
        assert_eq!(Mismatch::count_between(&needed, &shapes(&[("b", &[2]), ("w", &[2])])), 0);
        assert_eq!(found.to_string(), "1 missing (b); 1 unexpected (x); 1 of another shape (w: [1, 2] for [2])");
        let many = Mismatch::between(&[], &shapes(&[("a", &[]), ("b", &[]), ("c", &[]), ("d", &[])]));
        assert_eq!(many.to_string(), "4 unexpected (a, b, c, ..)");
    }
}
