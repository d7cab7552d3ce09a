"""What expressions see of a write, and what they ask."""

from kajitori.apimachinery.cel.libraries.authorizer import PathQuestion, ResourceQuestion
from kajitori.apiserver.admission.policies.inputs import Asking
from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization import Authorizer, Rbac
from kajitori.apiserver.authorization.attributes import Attributes, Decision


class Recorder(Authorizer):
    """An authorizer that lets alice do all, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(Rbac())
        self.asked: list[tuple[str, str]] = []

    def authorize(self, attributes: Attributes) -> Decision:
        self.asked.append((attributes.user.name, attributes.path or attributes.resource))
        return Decision(attributes.user.name == "alice", "because")


def test_a_question_is_answered_once() -> None:  # I2
    recorder = Recorder()
    asking = Asking(recorder, User("alice"))
    pods = ResourceQuestion("", "pods", "", "default", "", verb="get")
    paths = PathQuestion("/metrics", verb="get")
    other = ResourceQuestion("", "pods", "", "default", "", verb="get", service_account=("default", "robot"))
    answers = [asking.authorize(each) for each in (pods, paths, other) * 3]
    assert [each.allowed for each in answers] == [True, True, False] * 3
    robot = "system:serviceaccount:default:robot"
    assert recorder.asked == [("alice", "pods"), ("alice", "/metrics"), (robot, "pods")]
