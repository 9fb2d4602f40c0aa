use super::table::aligned;
use crate::arch::zoo::{VARIANTS, Variant};
use crate::graph::cost::cost;

/// Every variant with what one image of its own size costs, counted from its graph.
pub fn table() -> String {
    let header = ["network", "family", "pixels", "parameters", "multiply-adds", "activations", "units"];
    let row = |variant: &Variant| {
        let size = variant.side;
        let graph = variant.build(size, size, variant.classes);
        let cost = cost(&graph);
        let millions = |count: u64| format!("{:.2} M", count as f64 / 1e6);
        let counts = [cost.parameters, cost.macs, cost.activations].map(millions);
        let [parameters, macs, activations] = counts;
        let units = graph.units.len().to_string();
        [variant.id.into(), variant.family.into(), size.to_string(), parameters, macs, activations, units]
    };
    let rows: Vec<[String; 7]> = [header.map(String::from)].into_iter().chain(VARIANTS.iter().map(row)).collect();
    aligned(&rows, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_the_tiny_network_by_timm() {
        let table = table();
        let row = table.lines().find(|line| line.starts_with("resnest_tiny ")).unwrap();
        let cells: Vec<&str> = row.split_whitespace().collect();
        // tests/arch/resnest_tiny.txt has them in full; units are two blocks in each of four stages.
        assert_eq!(cells, ["resnest_tiny", "ResNeSt", "64", "1.01", "M", "75.54", "M", "0.75", "M", "8"]);
    }

    #[test]
    fn every_variant_has_a_row_as_wide_as_the_header() {
        let table = table();
        assert_eq!(table.lines().count(), VARIANTS.len() + 1);
        let widths: Vec<usize> = table.lines().map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
    }
}
