import Pretexts
import Tensors
import Testing

/// A picture in which every pixel is another number.
func numbered(_ height: Int, _ width: Int) -> Tensor<Int> { Tensor([height, width], Array(0..<height * width)) }

let sizes = [(3, 5), (4, 6), (5, 5), (4, 4), (1, 7), (6, 3)]

@Test(arguments: sizes) func allProductsOfTwoSymmetriesActAsOneAfterTheOther(height: Int, width: Int) {
  let image = numbered(height, width)
  for a in Symmetry.allCases {
    for b in Symmetry.allCases { #expect(a.followed(by: b)(image) == b(a(image)), "\(a) then \(b)") }
    #expect(a.inverse(a(image)) == image)
    #expect(a.followed(by: a.inverse) == .identity)
  }
}

@Test func theEightSymmetriesAreDifferentAndRotationsKeepHandedness() {
  #expect(Set(Symmetry.allCases.map { $0(numbered(3, 3)).elements }).count == 8)
  var turned = Symmetry.identity, rotations: Set<Symmetry> = []
  for _ in 0..<4 {
    rotations.insert(turned)
    turned = turned.followed(by: .quarterTurn)
  }
  #expect(turned == .identity && rotations.count == 4)
  for symmetry in Symmetry.allCases { #expect(symmetry.determinant == (rotations.contains(symmetry) ? 1 : -1)) }
}

/// numpy.rot90([[0,1,2],[3,4,5]]) = [[2,5],[1,4],[0,3]]; numpy.fliplr = [[2,1,0],[5,4,3]].
@Test func quarterTurnAndMirrorAreThoseOfNumpy() {
  #expect(Symmetry.quarterTurn(numbered(2, 3)) == Tensor([3, 2], [2, 5, 1, 4, 0, 3]))
  #expect(Symmetry.mirror(numbered(2, 3)) == Tensor([2, 3], [2, 1, 0, 5, 4, 3]))
  #expect(Symmetry.quarterTurn.inverse(numbered(2, 3)) == Tensor([3, 2], [3, 0, 4, 1, 5, 2]))
}
