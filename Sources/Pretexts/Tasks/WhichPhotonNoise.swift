/// With which share of its photons was this picture measured? What remains: steps of the counts, where photons are few.
/// Source of the change: `PhotonNoise`, which is an augmentation of other recipes under the same name.
public typealias WhichPhotonNoise = GradedQuestion<PhotonNoise>
