use super::Shape;

/// Zeros around the input of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Padding {
    /// As many on every side.
    Each(usize),
    /// TensorFlow's 'SAME': as many as make the output `ceil(input / stride)`, the odd one at the end.
    Same,
}

/// A 2-D convolution, square kernel, as `torch.nn.Conv2d` defines it.
///
/// Weight: `[out_channels, in_channels / groups, kernel, kernel]`; bias: `[out_channels]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Conv {
    pub out_channels: usize,
    /// Side of the kernel in pixels.
    pub kernel: usize,
    pub stride: usize,
    pub padding: Padding,
    pub dilation: usize,
    pub groups: usize,
    pub bias: bool,
}

impl Conv {
    /// Stride 1, 'same' padding, one group, no bias: what most layers differ little from.
    pub const fn new(kernel: usize, out_channels: usize) -> Self {
        Self {
            out_channels,
            kernel,
            stride: 1,
            padding: Padding::Each(kernel / 2),
            dilation: 1,
            groups: 1,
            bias: false,
        }
    }

    pub const fn stride(self, stride: usize) -> Self {
        Self { stride, ..self }
    }

    pub const fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// Spreads the taps and widens the padding to match, so that the extent stays 'same'.
    pub const fn dilation(self, dilation: usize) -> Self {
        Self { dilation, padding: Padding::Each(dilation * (self.kernel / 2)), ..self }
    }

    pub const fn padding(self, padding: usize) -> Self {
        Self { padding: Padding::Each(padding), ..self }
    }

    pub const fn padding_same(self) -> Self {
        Self { padding: Padding::Same, ..self }
    }

    pub const fn bias(self) -> Self {
        Self { bias: true, ..self }
    }

    /// Zeros before the first pixel along an axis of `extent` pixels.
    pub fn pad_before(&self, extent: usize) -> usize {
        match self.padding {
            Padding::Each(padding) => padding,
            Padding::Same => {
                let covered = (extent.div_ceil(self.stride) - 1) * self.stride + self.reach();
                covered.saturating_sub(extent) / 2
            }
        }
    }

    /// Extent that the dilated kernel spans.
    fn reach(&self) -> usize {
        self.dilation * (self.kernel - 1) + 1
    }

    /// Output extent along one axis; `None` when the dilated kernel is larger than the padded input.
    fn out_extent(&self, extent: usize) -> Option<usize> {
        match self.padding {
            Padding::Each(padding) => Some((extent + 2 * padding).checked_sub(self.reach())? / self.stride + 1),
            Padding::Same => Some(extent.div_ceil(self.stride)),
        }
    }

    fn out_shape(&self, input: Shape) -> Option<Shape> {
        Some(Shape::new(self.out_channels, self.out_extent(input.height)?, self.out_extent(input.width)?))
    }
}

/// A pooling window, square, as `torch.nn.MaxPool2d` and `AvgPool2d` define it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pool {
    /// Side of the window in pixels.
    pub kernel: usize,
    pub stride: usize,
    pub padding: usize,
    /// Round the output extent up, so that a last partial window counts.
    pub ceil_mode: bool,
    /// Average pooling divides by the window including its padding (never by what `ceil_mode` hangs
    /// over the padded input).
    pub count_include_pad: bool,
}

impl Pool {
    pub const fn new(kernel: usize, stride: usize) -> Self {
        Self { kernel, stride, padding: 0, ceil_mode: false, count_include_pad: true }
    }

    pub const fn padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    pub const fn ceil_mode(self) -> Self {
        Self { ceil_mode: true, ..self }
    }

    pub const fn exclude_pad(self) -> Self {
        Self { count_include_pad: false, ..self }
    }

    fn out_extent(&self, extent: usize) -> Option<usize> {
        let partial = if self.ceil_mode { self.stride - 1 } else { 0 };
        let span = (extent + 2 * self.padding + partial).checked_sub(self.kernel)?;
        let out = span / self.stride + 1;
        // PyTorch drops a last window that would start in the right-hand padding.
        let overhangs = self.ceil_mode && (out - 1) * self.stride >= extent + self.padding;
        Some(if overhangs { out - 1 } else { out })
    }

    fn out_shape(&self, input: Shape) -> Option<Shape> {
        Some(Shape::new(input.channels, self.out_extent(input.height)?, self.out_extent(input.width)?))
    }
}

/// Batch normalisation in evaluation: `(x - mean) / sqrt(variance + epsilon) * weight + bias`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    pub epsilon: f32,
}

impl Default for BatchNorm {
    /// PyTorch's.
    fn default() -> Self {
        Self { epsilon: 1e-5 }
    }
}

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Activation {
    #[default]
    Identity,
    Relu,
    /// `min(max(x, 0), 6)`
    Relu6,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    Sigmoid,
}

/// One operation of the graph. Parameters are named by the node that holds the operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Op {
    Input,
    Conv(Conv),
    BatchNorm(BatchNorm),
    Activation(Activation),
    MaxPool(Pool),
    AvgPool(Pool),
    /// Mean over all pixels of each channel.
    GlobalAvgPool,
    /// `[radix * C, H, W] -> [C, H, W]`, radix-major: split `r` holds channels `r * C ..`.
    SumSplits {
        radix: usize,
    },
    /// Gates from logits `[cardinality * radix * C', 1, 1]`, cardinality-major in, radix-major out:
    /// softmax over the radix, or a sigmoid at radix 1 (timm's `RadixSoftmax`).
    RadixSoftmax {
        radix: usize,
        cardinality: usize,
    },
    /// Inputs: splits `[radix * C, H, W]`, gates `[radix * C, 1, 1]`; output `[C, H, W]`, the splits
    /// scaled by their gates and summed.
    WeightedSum {
        radix: usize,
    },
    /// Element by element.
    Add,
    /// Along the channels, in the order of the inputs.
    Concat,
    /// Channels `first .. first + count`.
    Slice {
        first: usize,
        count: usize,
    },
    /// `[C, 1, 1] -> [out_features, 1, 1]`, with bias.
    Linear {
        out_features: usize,
    },
}

impl Op {
    /// The output's shape, or what is wrong with the inputs.
    pub fn infer(&self, inputs: &[Shape]) -> Result<Shape, String> {
        let arity = match self {
            Op::Input => 0,
            Op::Add | Op::WeightedSum { .. } => 2,
            Op::Concat => inputs.len().max(1),
            _ => 1,
        };
        if inputs.len() != arity {
            return Err(format!("takes {arity} inputs, got {}", inputs.len()));
        }
        match *self {
            Op::Input => Err("has its shape given".into()),
            Op::Conv(conv) => {
                let (in_channels, groups) = (inputs[0].channels, conv.groups);
                if !in_channels.is_multiple_of(groups) || !conv.out_channels.is_multiple_of(groups) {
                    return Err(format!("{groups} groups do not divide both {in_channels} and {}", conv.out_channels));
                }
                conv.out_shape(inputs[0]).ok_or_else(|| format!("kernel is larger than {}", inputs[0]))
            }
            Op::BatchNorm(_) | Op::Activation(_) => Ok(inputs[0]),
            Op::MaxPool(pool) | Op::AvgPool(pool) => {
                pool.out_shape(inputs[0]).ok_or_else(|| format!("window is larger than {}", inputs[0]))
            }
            Op::GlobalAvgPool => Ok(Shape::vector(inputs[0].channels)),
            Op::SumSplits { radix } => divide(inputs[0], radix),
            Op::RadixSoftmax { radix, cardinality } => divide(inputs[0], radix * cardinality).map(|_| inputs[0]),
            Op::WeightedSum { radix } => {
                if inputs[1] != Shape::vector(inputs[0].channels) {
                    return Err(format!("gates {} do not fit splits {}", inputs[1], inputs[0]));
                }
                divide(inputs[0], radix)
            }
            Op::Add if inputs[0] == inputs[1] => Ok(inputs[0]),
            Op::Add => Err(format!("cannot add {} and {}", inputs[0], inputs[1])),
            Op::Concat => {
                let channels = inputs.iter().map(|shape| shape.channels).sum();
                let out = inputs[0].with_channels(channels);
                match inputs.iter().find(|shape| shape.with_channels(channels) != out) {
                    Some(odd) => Err(format!("cannot join {odd} to {}", inputs[0])),
                    None => Ok(out),
                }
            }
            Op::Slice { first, count } if first + count <= inputs[0].channels => Ok(inputs[0].with_channels(count)),
            Op::Slice { first, count } => {
                Err(format!("channels {first} to {} are not in {}", first + count, inputs[0]))
            }
            Op::Linear { .. } if inputs[0].pixels() != 1 => Err(format!("takes a vector, got {}", inputs[0])),
            Op::Linear { out_features } => Ok(Shape::vector(out_features)),
        }
    }
}

fn divide(shape: Shape, parts: usize) -> Result<Shape, String> {
    match shape.channels.is_multiple_of(parts) {
        true => Ok(shape.with_channels(shape.channels / parts)),
        false => Err(format!("{parts} splits do not divide {} channels", shape.channels)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conv_extent_follows_pytorch() {
        let input = Shape::new(4, 7, 9);
        let conv = Op::Conv(Conv::new(3, 8).stride(2));
        assert_eq!(conv.infer(&[input]), Ok(Shape::new(8, 4, 5)));
        let dilated = Op::Conv(Conv::new(3, 8).dilation(2));
        assert_eq!(dilated.infer(&[input]), Ok(Shape::new(8, 7, 9)));
        assert!(Op::Conv(Conv::new(9, 8).padding(0)).infer(&[input]).is_err());
        assert!(Op::Conv(Conv::new(3, 8).groups(3)).infer(&[input]).is_err());
    }

    #[test]
    fn same_padding_puts_the_odd_zero_at_the_end() {
        let conv = Conv::new(3, 4).stride(2).padding_same();
        assert_eq!(Op::Conv(conv).infer(&[Shape::new(3, 224, 193)]), Ok(Shape::new(4, 112, 97)));
        assert_eq!((conv.pad_before(224), conv.pad_before(193)), (0, 1));
        assert_eq!(Conv::new(5, 4).stride(2).padding_same().pad_before(224), 1, "three zeros: one before, two after");
    }

    #[test]
    fn ceil_mode_drops_a_window_that_starts_in_the_padding() {
        // torch.nn.AvgPool2d(2, 2, ceil_mode=True) on 7x7 gives 4x4 ..
        let pool = Pool::new(2, 2).ceil_mode();
        assert_eq!(Op::AvgPool(pool).infer(&[Shape::new(1, 7, 7)]), Ok(Shape::new(1, 4, 4)));
        // .. and MaxPool2d(2, 2, padding=1, ceil_mode=True) on 1x1 gives 1x1, not 2x2.
        assert_eq!(Op::MaxPool(pool.padding(1)).infer(&[Shape::new(1, 1, 1)]), Ok(Shape::new(1, 1, 1)));
    }

    #[test]
    fn joins_and_sums_name_what_does_not_fit() {
        let small = Shape::new(4, 2, 2);
        assert!(Op::Add.infer(&[small, Shape::new(4, 2, 3)]).is_err());
        assert_eq!(Op::Concat.infer(&[small, Shape::new(8, 2, 2)]), Ok(Shape::new(12, 2, 2)));
        assert!(Op::Concat.infer(&[small, Shape::new(4, 1, 2)]).is_err());
        assert!(Op::SumSplits { radix: 3 }.infer(&[small]).is_err());
    }
}
