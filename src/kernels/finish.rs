use super::Overrides;

/// What a convolution's kernel does with its sums: the overrides of `finish.wgsl`.
#[derive(Clone, Copy)]
pub struct Finish {
    /// Whether the activation needs exponentials.
    pub curves: bool,
    pub shortcut: bool,
}

impl Finish {
    pub const ALL: [Self; 4] = [
        Self { curves: false, shortcut: false },
        Self { curves: true, shortcut: false },
        Self { curves: false, shortcut: true },
        Self { curves: true, shortcut: true },
    ];

    /// These overrides after a kernel's own.
    pub fn with<const N: usize>(self, own: [(&'static str, u32); N]) -> Overrides {
        own.into_iter().chain([("curves", self.curves.into()), ("has_shortcut", self.shortcut.into())]).collect()
    }
}
