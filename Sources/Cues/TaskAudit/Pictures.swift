import Host
import Pretexts
import Tensors

/// Pictures to be examined, by number, with the run and the source of each.
public struct Pictures: Sendable {
  public let count: Int
  /// The run of each, as a number: those of one run share beam and constants.
  public let runs: [Int]
  /// The corpus's name for where each comes from; one and the same for made-up pictures.
  public let sources: [String]
  private let make: @Sendable (Int) throws(InputError) -> Shot

  /// - Parameters:
  ///   - sources: of each; of one source where left out.
  ///   - make: gives shot n of `runs.count`; the same one each time.
  public init(shots runs: [Int], sources: [String] = [], _ make: @escaping @Sendable (Int) throws(InputError) -> Shot) {
    precondition(sources.isEmpty || sources.count == runs.count, "\(sources.count) sources for \(runs.count) pictures")
    (count, self.runs, self.make) = (runs.count, runs, make)
    self.sources = sources.isEmpty ? Array(repeating: "", count: runs.count) : sources
  }

  /// Made-up pictures, whose pixel values are their signal and whose neighbour is another one of them.
  /// - Parameter answers: the index of each one's label among the classes; empty for tasks that make their own answers.
  public init(runs: [Int], answers: [Int] = [], _ make: @escaping @Sendable (Int) throws(InputError) -> MaskedImage) {
    precondition(answers.isEmpty || answers.count == runs.count, "\(answers.count) answers for \(runs.count) pictures")
    let count = runs.count, signal = SignalScale(unit: "", signal: { $0 }, value: { $0 })
    self.init(shots: runs) { index throws(InputError) in
      let neighbour = Shot.Neighbour(image: try make((index + 1) % count), isLater: index % 2 == 0)
      return Shot(try make(index), answer: answers.isEmpty ? nil : answers[index], signal: signal, neighbour: neighbour)
    }
  }

  public func shot(_ index: Int) throws(InputError) -> Shot { try make(index) }
  public func image(_ index: Int) throws(InputError) -> MaskedImage { try make(index).image }

  /// Each picture and the one of `other` in its place made into one. Traps where there are not as many.
  func joined(with other: Pictures, _ join: @escaping @Sendable (MaskedImage, MaskedImage) -> MaskedImage) -> Pictures {
    precondition(count == other.count, "\(count) pictures beside \(other.count)")
    let make = self.make
    return Pictures(shots: runs, sources: sources) { index throws(InputError) in
      var shot = try make(index)
      let twin = try other.make(index)
      shot.image = join(shot.image, twin.image)
      if let neighbour = shot.neighbour, let beside = twin.neighbour { shot.neighbour?.image = join(neighbour.image, beside.image) }
      return shot
    }
  }

  /// Some of them, by number.
  func chosen(_ indices: [Int]) -> Pictures {
    let make = self.make
    return Pictures(shots: indices.map { runs[$0] }, sources: indices.map { sources[$0] }) { index throws(InputError) in try make(indices[index]) }
  }

  /// The sources that there are, in order.
  public var everySource: [String] { Set(sources).sorted() }

  /// Those of one source.
  func of(_ source: String) -> Pictures { chosen(sources.indices.filter { sources[$0] == source }) }

  /// Each picture changed.
  public func mapped(_ change: @escaping @Sendable (MaskedImage) -> MaskedImage) -> Pictures { mapped { _, image in change(image) } }

  /// Each picture changed, by its number.
  func mapped(_ change: @escaping @Sendable (Int, MaskedImage) -> MaskedImage) -> Pictures {
    let make = self.make
    return Pictures(shots: runs, sources: sources) { index throws(InputError) in
      var shot = try make(index)
      shot.image = change(index, shot.image)
      if let neighbour = shot.neighbour { shot.neighbour?.image = change(index, neighbour.image) }
      return shot
    }
  }
}
