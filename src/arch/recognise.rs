//! Which variant a checkpoint belongs to, told by the names and shapes of its tensors.

use super::Variant;
use super::zoo::VARIANTS;
use crate::graph::{Mismatch, Parameter, Shapes};
use crate::order;

/// What the tensors of a checkpoint are the weights of.
#[derive(Clone, Debug, PartialEq)]
pub enum Recognition {
    /// Exactly of these variants' names and shapes, at least one, in the table's order: some variants differ only
    /// in what has no weights.
    Fits { variants: Vec<&'static Variant>, classes: usize },
    /// Of no variant; of this one fewest tensors are missing, unexpected or of another shape.
    Nearest { variant: &'static Variant, classes: usize, mismatch: Mismatch },
}

/// Compares a checkpoint with every variant of the table. The number of classes is free: the classifier's bias says
/// it, or else its weight; where neither does, the variant's own is taken.
pub fn recognise(shapes: &Shapes) -> Recognition {
    // Only the nearest gets lists: a file may have so many names that a list for every variant does not fit.
    let count = |variant| Mismatch::count_between(&needed(variant, shapes).1, shapes);
    let counted = VARIANTS.iter().map(|variant| (variant, count(variant))).collect();
    let counted = order::sorted(counted, |(_, one), (_, other)| one.cmp(other));
    let (variant, _) = counted[0];
    let (classes, parameters) = needed(variant, shapes);
    let variants: Vec<_> = counted.iter().take_while(|(_, count)| *count == 0).map(|(variant, _)| *variant).collect();
    match variants.is_empty() {
        false => Recognition::Fits { variants, classes },
        true => Recognition::Nearest { variant, classes, mismatch: Mismatch::between(&parameters, shapes) },
    }
}

/// The classifier's number of classes, and the tensors that the variant needs for so many.
fn needed(variant: &Variant, shapes: &Shapes) -> (usize, Vec<Parameter>) {
    let graph = variant.build(variant.side, variant.side, variant.classes);
    let [weight, bias] = ["weight", "bias"].map(|suffix| format!("{}.{suffix}", graph.classifier));
    let said = shapes.get(&bias).or(shapes.get(&weight)).and_then(|shape| shape.first());
    let classes = said.copied().filter(|classes| *classes > 0).unwrap_or(variant.classes);
    // A graph of another number of classes differs in the classifier alone.
    let mut parameters = graph.parameters();
    for parameter in parameters.iter_mut().filter(|parameter| parameter.name == weight || parameter.name == bias) {
        parameter.shape[0] = classes;
    }
    (classes, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::zoo::variant;

    fn shapes(id: &str, classes: usize) -> Shapes {
        let parameters = variant(id).unwrap().build(64, 64, classes).parameters();
        parameters.into_iter().map(|parameter| (parameter.name, parameter.shape)).collect()
    }

    fn ids(shapes: &Shapes) -> (Vec<&'static str>, usize) {
        match recognise(shapes) {
            Recognition::Fits { variants, classes } => (variants.iter().map(|variant| variant.id).collect(), classes),
            Recognition::Nearest { variant, mismatch, .. } => panic!("nearest is {}: {mismatch}", variant.id),
        }
    }

    /// Variants whose tensors cannot tell them apart, since they differ in activation alone.
    const ALIKE: [&[&str]; 1] = [&["regnetz_relu_tiny", "regnetz_swish_tiny"]];

    #[test]
    fn every_variant_recognises_itself() {
        for Variant { id, .. } in VARIANTS {
            let expected = ALIKE.iter().find(|alike| alike.contains(id)).map_or(vec![*id], |alike| alike.to_vec());
            assert_eq!(ids(&shapes(id, 7)), (expected, 7));
        }
    }

    #[test]
    fn what_fits_nothing_is_told_by_the_nearest() {
        let mut shapes = shapes("resnest50d", 10);
        shapes.remove("fc.bias");
        shapes.remove("layer1.0.conv1.weight");
        shapes.insert("stem.weight".into(), vec![1]);
        shapes.insert("bn1.bias".into(), vec![65]);
        let Recognition::Nearest { variant, classes, mismatch } = recognise(&shapes) else { panic!() };
        assert_eq!((variant.id, classes), ("resnest50d", 10));
        assert_eq!(mismatch.missing, ["layer1.0.conv1.weight", "fc.bias"]);
        assert_eq!(mismatch.unexpected, ["stem.weight"]);
        assert_eq!(mismatch.misshapen, ["bn1.bias: [65] for [64]"]);
    }

    #[test]
    fn a_classifier_of_no_class_fits_nothing() {
        let mut shapes = shapes("resnet18", 10);
        shapes.insert("fc.bias".into(), vec![0]);
        shapes.insert("fc.weight".into(), vec![0, 512]);
        assert!(matches!(recognise(&shapes), Recognition::Nearest { variant, .. } if variant.id == "resnet18"));
        assert!(matches!(recognise(&Shapes::new()), Recognition::Nearest { .. }));
    }
}
