/**
 * A function that is given a transaction's manager must use nothing else to reach the database. The embedded database
 * has one session: a query that goes around the manager waits for the transaction, and the transaction for the query.
 *
 * Two ways around it are seen: using a DataSource or Repository directly, and calling a service that holds one without
 * handing it the manager.
 */
export const transactionManagerOnly = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      around: 'This goes around the open transaction; use its manager, or the embedded database waits for ever.',
      withoutManager:
        '{{name}} queries the database on its own; hand it the transaction’s manager, or call it after the commit.',
    },
  },
  create(context) {
    const services = context.sourceCode.parserServices;
    if (!services?.program) return {};
    const checker = services.program.getTypeChecker();
    // Depth of functions that hold a manager; the body of one that is nested belongs to the same transaction.
    let depth = 0;
    const enter = (node) => {
      if (takesManager(services, node)) depth += 1;
    };
    const leave = (node) => {
      if (takesManager(services, node)) depth -= 1;
    };
    return {
      ':function': enter,
      ':function:exit': leave,
      MemberExpression(node) {
        if (depth > 0 && isConnection(services.getTypeAtLocation(node.object)) && !inParameters(node)) {
          context.report({ node, messageId: 'around' });
        }
      },
      CallExpression(node) {
        if (depth === 0 || node.callee.type !== 'MemberExpression') return;
        const owner = services.getTypeAtLocation(node.callee.object);
        if (isManager(owner) || !returnsPromise(services, node) || !holdsConnection(checker, owner)) return;
        if (passesManager(services, node)) return;
        context.report({ node, messageId: 'withoutManager', data: { name: context.sourceCode.getText(node.callee) } });
      },
    };
  },
};

const nameOf = (type) => type.getSymbol()?.getName();
const isManager = (type) => nameOf(type) === 'EntityManager';
const isConnection = (type) => ['DataSource', 'Repository'].includes(nameOf(type));

function takesManager(services, node) {
  return node.params.some((parameter) => {
    const target = parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter;
    return isManager(services.getTypeAtLocation(target));
  });
}

/** `manager = this.database.manager` is how a function takes the manager or none. */
function inParameters(node) {
  for (let child = node; child.parent; child = child.parent) {
    if (child.parent.params?.includes(child)) return true;
  }
  return false;
}

function returnsPromise(services, node) {
  return nameOf(services.getTypeAtLocation(node)) === 'Promise';
}

/** A class whose constructor takes a connection. */
function holdsConnection(checker, type) {
  const declaration = type.getSymbol()?.valueDeclaration;
  const constructors = declaration?.members?.filter((member) => member.parameters && !member.name) ?? [];
  return constructors.some((member) =>
    member.parameters.some((parameter) => isConnection(checker.getTypeAtLocation(parameter))),
  );
}

function passesManager(services, node) {
  return node.arguments.some((argument) => isManager(services.getTypeAtLocation(argument)));
}
