/// Is this picture a negative? What remains: a detector whose noise is not symmetric about its mean.
/// Source of the change: `Inversion`, which is an augmentation of other recipes under the same name.
public typealias WhichInversion = GradedQuestion<Inversion>
