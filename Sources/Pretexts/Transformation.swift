import Tensors

/// What can be done to a picture, apart from the symmetries of the square: what a task asks about, or an augmentation varies.
public enum Transformation: String, Hashable, Sendable, CaseIterable {
  /// Where in the frame a view lies.
  case place
  /// How much of the frame a view shows.
  case scale
  /// Which part of the picture lies where.
  case tileOrder = "order of tiles"
  /// Signal and its negative.
  case inversion
  /// A factor of the signal.
  case gain
  /// An offset of the signal, or a pattern of offsets.
  case pedestal
  case photonNoise = "photon noise"
  /// Noise and steps of the readout.
  case readout = "readout noise"
  /// How strong the noise of single pixels is, whatever it comes from.
  case noise = "strength of the noise"
  case blur
  case saturation
  /// Which of two shots came first.
  case shotOrder = "order of shots"
  /// Which pixels are measured.
  case mask
}

/// An augmentation that would give one picture two answers.
public struct AnswerConflict: Hashable, Sendable {
  /// The position in the recipe's list.
  public let index: Int
  public let augmentation: String
  /// What both are about: `mirroring left and right`, `blur`.
  public let about: String
}

extension PretextTask {
  /// Whether frames without content show the right answer, too, because it is about noise, gain or sharpness.
  public var asksAboutNoise: Bool { !asks.isDisjoint(with: [.photonNoise, .readout, .blur, .gain, .pedestal]) }

  public func conflict(with augmentations: [any Augmentation]) -> AnswerConflict? { answerConflict(with: augmentations) }

  /// The first augmentation that contains what the task asks about.
  ///
  /// For the symmetries of the square: when a picture may come in any version h of the group H that the augmentations generate, then
  /// answer g shows all of HgH. The answers are told apart if and only if no two of these sets meet. So a question about handedness
  /// can bear rotations, and one about quarter turns can not bear a mirror, which exchanges left turns and right turns.
  func answerConflict(with augmentations: [any Augmentation]) -> AnswerConflict? {
    for (index, augmentation) in augmentations.enumerated() {
      let common = asks.intersection(augmentation.changes).map(\.rawValue).sorted()
      if !common.isEmpty { return AnswerConflict(index: index, augmentation: type(of: augmentation).name, about: common.joined(separator: ", ")) }
      // A piece that is turned after it was cut would keep an answer that names its old place.
      if !augmentation.symmetries.isEmpty, let place = asks.intersection([.place, .tileOrder]).min(by: { $0.rawValue < $1.rawValue }) {
        return AnswerConflict(index: index, augmentation: type(of: augmentation).name, about: place.rawValue)
      }
      // With those before it: two harmless ones may generate what is asked.
      let nuisances = Symmetry.group(generatedBy: augmentations[...index].flatMap(\.symmetries))
      if !augmentation.symmetries.isEmpty, !Symmetry.areToldApart(answers, under: nuisances) {
        // Those of its own that do harm by themselves, or all where only together with others they do.
        let harmful = augmentation.symmetries.filter { !Symmetry.areToldApart(answers, under: Symmetry.group(generatedBy: [$0])) }
        let names = Set((harmful.isEmpty ? Array(augmentation.symmetries) : Array(harmful)).map(\.description)).sorted().joined(separator: ", ")
        return AnswerConflict(index: index, augmentation: type(of: augmentation).name, about: names)
      }
    }
    return nil
  }
}
