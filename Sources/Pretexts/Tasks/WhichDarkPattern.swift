/// Has the dark pattern been subtracted? What remains: the drawn pattern adds noise, so its strength answers without its form.
/// Source of the change: `DarkPattern`, which is an augmentation of other recipes under the same name.
public typealias WhichDarkPattern = GradedQuestion<DarkPattern>
