import Evaluation
import Tensors
import Testing

@Test(arguments: 0..<20 as Range<UInt64>) func noRunIsInBothParts(_ seed: UInt64) throws {
  let data = gaussians(300, width: 2, separation: 1, runs: 7, seed: seed)
  let split = try ValidationSplit(of: data, share: 0.25, seed: seed)
  let fitting = Set(split.fitting.map { data.groups[$0] }), validating = Set(split.validating.map { data.groups[$0] })
  #expect(fitting.isDisjoint(with: validating) && fitting.count + validating.count == 7 && split.note == nil)
  #expect((split.fitting + split.validating).sorted() == Array(0..<300))
  #expect(Set(split.validating.map { data.labels[$0] }) == [0, 1] && (60...130).contains(split.validating.count))
}

@Test func aSingleRunIsSplitWithinItsClasses() throws {
  let data = gaussians(40, width: 2, separation: 1, runs: 1, seed: 1)
  let split = try ValidationSplit(of: data, share: 0.25, seed: 1)
  #expect(split.note == nil && split.validating.count == 10)
  #expect(split.validating.filter { data.labels[$0] == 0 }.count == 5)
  #expect(Set(split.fitting).isDisjoint(with: split.validating))
}
