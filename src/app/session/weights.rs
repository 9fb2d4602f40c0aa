//! Weights from wherever they are kept.

use std::rc::Rc;

use js_sys::Uint8Array;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, AbortSignal, Blob};

use super::Inner;
use crate::app::dom;
use crate::app::failure::Failure;
use crate::app::fetch;
use crate::app::model::{Model, Origin};
use crate::app::state::{Progress, Stage};
use crate::weights::Checkpoint;

impl Inner {
    /// The weights of a network, read and checked as far as they can be without it.
    pub(super) async fn checkpoint(&self, model: &Model, origin: &Origin) -> Result<Checkpoint, Failure> {
        self.stage(Progress::of(Stage::Download));
        match origin {
            Origin::Shipped => {
                let file = self.shipped(model).await?;
                Checkpoint::parse(&file).map_err(|error| {
                    // The next try asks the server again.
                    self.files.borrow_mut().remove(&model.key);
                    error.into()
                })
            }
            Origin::File(file) => {
                let bytes = read(&file.blob).await.map_err(|why| Failure::unreadable(&file.name, &why))?;
                Checkpoint::parse(&bytes).map_err(|error| Failure::Checkpoint(error.to_string()))
            }
        }
    }

    /// Downloads shipped weights once.
    async fn shipped(&self, model: &Model) -> Result<Rc<Vec<u8>>, Failure> {
        let known = self.files.borrow().get(&model.key).cloned();
        if let Some(file) = known {
            return Ok(file);
        }
        let heard = |done, total| self.stage(Progress { stage: Stage::Download, done, total });
        let signal = self.begin_stoppable();
        let bytes = fetch::bytes(&model.weights_path(), signal.as_ref(), heard).await;
        self.stop.replace(None);
        let file = Rc::new(bytes?);
        self.files.borrow_mut().insert(model.key.clone(), file.clone());
        Ok(file)
    }

    /// What hears when the visitor stops the work at hand.
    fn begin_stoppable(&self) -> Option<AbortSignal> {
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        self.stop.replace(controller);
        signal
    }
}

/// The bytes of a file, or why the browser does not give them.
pub(super) async fn read(blob: &Blob) -> Result<Vec<u8>, String> {
    let buffer = JsFuture::from(blob.array_buffer()).await.map_err(|error| dom::message(&error))?;
    Ok(Uint8Array::new(&buffer).to_vec())
}
