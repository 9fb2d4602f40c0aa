use crate::vision::MapKind;

/// What lies over the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Contribution,
    Share,
    Difference,
    Activation,
    /// Of a network without units: a layer's feature maps.
    Features,
    Class,
}

impl View {
    pub const ALL: [View; 6] =
        [View::Contribution, View::Share, View::Difference, View::Activation, View::Features, View::Class];

    /// The kind of branch map; a layer's feature maps and a class activation map belong to no branch.
    pub fn kind(self) -> Option<MapKind> {
        match self {
            View::Contribution => Some(MapKind::Contribution),
            View::Share => Some(MapKind::Share),
            View::Difference => Some(MapKind::Difference),
            View::Activation => Some(MapKind::Activation),
            View::Features | View::Class => None,
        }
    }

    /// Whether the scale is symmetric about zero whatever the values.
    pub fn diverges(self) -> bool {
        matches!(self, View::Difference | View::Class)
    }

    pub fn title(self) -> &'static str {
        match self {
            View::Contribution => "Contribution",
            View::Share => "Share",
            View::Difference => "Difference",
            View::Activation => "Activation",
            View::Features => "Features",
            View::Class => "Class",
        }
    }
}
