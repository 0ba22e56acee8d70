/// How blurred is this picture? What remains: the detector's own pixel noise, where it is stronger than what is added.
/// Source of the change: `Blur`, which is an augmentation of other recipes under the same name.
public typealias WhichBlur = GradedQuestion<Blur>
