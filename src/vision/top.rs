use crate::order;

/// One class as the network sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Position among the logits.
    pub index: usize,
    /// 0 to 1, from a softmax over all classes.
    pub probability: f32,
    pub logit: f32,
}

/// `exp(x) / sum(exp(x))`, safe against overflow: probabilities of the classes.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The `k` most probable classes, or all where there are fewer, the most probable first; of equals the
/// first class comes first.
pub fn top_k(logits: &[f32], k: usize) -> Vec<Prediction> {
    let probabilities = softmax(logits);
    let all = logits.iter().zip(probabilities).enumerate();
    let all = all.map(|(index, (logit, probability))| Prediction { index, probability, logit: *logit }).collect();
    let mut all: Vec<Prediction> = order::sorted(all, |one, other| other.logit.total_cmp(&one.logit));
    all.truncate(k);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_by_hand_and_far_from_zero() {
        let third = softmax(&[0.0, 2f32.ln()]);
        assert!((third[0] - 1.0 / 3.0).abs() < 1e-6 && (third[1] - 2.0 / 3.0).abs() < 1e-6);
        assert_eq!(softmax(&[1000.0, 1000.0]), [0.5, 0.5]);
        assert_eq!(softmax(&[-1000.0, 1000.0]), [0.0, 1.0]);
        assert_eq!(softmax(&[]), Vec::<f32>::new());
    }

    #[test]
    fn best_first_and_equals_in_order() {
        let found = top_k(&[1.0, 3.0, 3.0, -1.0], 3);
        assert_eq!(found.iter().map(|one| one.index).collect::<Vec<_>>(), [1, 2, 0]);
        assert_eq!(found[0].logit, 3.0);
        assert!(found[0].probability > found[2].probability);
        assert_eq!(top_k(&[1.0], 5).len(), 1);
    }
}
