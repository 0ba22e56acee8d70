/// In which gain range was this picture read? What remains: nothing beside steps and noise is asked, so a histogram of one flat area answers.
/// Source of the change: `GainStage`, which is an augmentation of other recipes under the same name.
public typealias WhichGainStage = GradedQuestion<GainStage>
