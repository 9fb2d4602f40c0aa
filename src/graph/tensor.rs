use super::Shape;

/// Values of one activation on the CPU, NCHW with N = 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub shape: Shape,
    pub values: Vec<f32>,
}

impl Tensor {
    /// Panics where the values are not as many as the shape says.
    pub fn new(shape: Shape, values: Vec<f32>) -> Self {
        assert_eq!(values.len(), shape.elements(), "values of a {shape} tensor");
        Self { shape, values }
    }

    /// A tensor whose value at (channel, row, column) is `value(channel, row, column)`.
    pub fn from_fn(shape: Shape, mut value: impl FnMut(usize, usize, usize) -> f32) -> Self {
        let mut values = Vec::with_capacity(shape.elements());
        for channel in 0..shape.channels {
            for y in 0..shape.height {
                values.extend((0..shape.width).map(|x| value(channel, y, x)));
            }
        }
        Self { shape, values }
    }

    /// A vector of channels.
    pub fn vector(values: Vec<f32>) -> Self {
        Self::new(Shape::vector(values.len()), values)
    }

    pub fn at(&self, channel: usize, y: usize, x: usize) -> f32 {
        self.values[(channel * self.shape.height + y) * self.shape.width + x]
    }

    /// All pixels of one channel, row by row.
    pub fn channel(&self, channel: usize) -> &[f32] {
        let pixels = self.shape.pixels();
        &self.values[channel * pixels..][..pixels]
    }
}
