//! Knows what a network is: shapes, operations, named parameters and the order of work.
//! Knows nothing of devices, files or pixels; imports [`crate::order`] alone.
//!
//! An architecture writes operations through [`Net`], which spells every parameter's name as timm
//! does; [`Graph`] is the finished, immutable result; [`Plan`] turns it into fused steps with
//! reused buffers; [`cost`] counts parameters, multiply-adds and activations.

mod builder;
pub mod cost;
mod mismatch;
mod op;
mod plan;
mod shape;
mod storage;
mod tensor;
mod unit;

pub use builder::{Graph, Net, Node, Parameter, ValueId};
pub use mismatch::{Mismatch, Shapes};
pub use op::{Activation, BatchNorm, Conv, Op, Padding, Pool};
pub use plan::{ConvStep, Plan, PoolKind, Step, StepKind};
pub use shape::Shape;
pub use storage::{Room, Storage};
pub use tensor::Tensor;
pub use unit::{Block, Layer, Unit, UnitKind};
